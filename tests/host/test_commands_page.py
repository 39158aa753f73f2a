"""The reference of all commands is the command table, and is current."""

from __future__ import annotations

from pages.commands import PAGE, commands, page


def test_the_page_is_what_the_table_says_now() -> None:
    assert PAGE.read_text() == page(), "run `make pages`"


def test_every_command_is_explained_in_one_sentence_or_two() -> None:
    every = commands()
    assert len(every) > 60
    for command in every:
        assert command.help.endswith(".") and 10 < len(command.help) < 130, command
        assert ":" not in command.text.partition(" ")[2], command
