"""The reference of all commands is the command table, and is current."""

from __future__ import annotations

from pages.commands import PAGE, commands, page, table


def test_the_page_is_what_the_table_says_now() -> None:
    assert PAGE.read_text() == page(), "run `make pages`"


def test_every_command_is_explained_in_one_sentence_or_two() -> None:
    every = commands()
    assert len(every) > 60
    for command in every:
        assert command.help.endswith(".") and 10 < len(command.help) < 130, command
        assert ":" not in command.text.partition(" ")[2], command


def test_a_command_shows_parameters_where_it_takes_some_and_nowhere_else() -> None:
    shown = {command.text.partition(" ")[0]: " " in command.text for command in commands()}
    for pattern, query, command, *arity in table():
        most_asked, most = (arity[0][1], arity[0][3]) if arity else (0, 1)
        assert query is None or shown[pattern + "?"] == (most_asked > 0), pattern
        assert command is None or shown[pattern] == (most > 0), pattern
