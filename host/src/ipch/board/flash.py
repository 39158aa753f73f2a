"""Put the firmware on a board: only changed files, each verified by its hash on the device, main.py last.

main.py is removed first. Until all other files are in place the board therefore boots into the MicroPython prompt,
which opens no valve. If the cable or the power fails, the next run finds a board that it can flash.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ipch.board.compile import CLOCKS_MHZ, MPY_SUB_VERSION, MPY_VERSION, firmware_files
from ipch.device import Transport, health, list_ports, resolve_port
from ipch.errors import DeviceLostError, IpchError, NoDeviceError, PortBusyError, UsageError

HOW_TO_INSTALL = (
    "install MicroPython first: hold BOOTSEL while plugging the board in, then copy the RPI_PICO .uf2 from "
    "micropython.org/download/RPI_PICO to the drive that appears"
)
HOW_TO_RESCUE = "unplug the board, hold its maintenance button while plugging it in, and try again"

# Root modules of older layouts.
_FORMER = ("keyframe", "pins")

_CHUNK = 256
_PROMPT_S = 1.0

# Start of an answer to :SYST:ERR?.
_ERROR = r'-?\d+,"'

# A Ctrl-C may have stopped board.py before it cleared the maintenance request, which the next start would then obey.
# So clear both the request and the count of failed starts (see board.py).
_RESTART = """
import machine,os
_RP2350='RP2350' in os.uname().machine
a=0x400D800C if _RP2350 else 0x4005800C
machine.mem32[a]=machine.mem32[a+4]=0
machine.reset()
"""

# Runs on the board. Hash every file, list all of them; receive a file; remove one.
_HELPER = """
import os,sys,hashlib,micropython
from binascii import hexlify as _x
def _h(n):
 h=hashlib.sha256();b=bytearray(512)
 with open(n,'rb') as f:
  while 1:
   k=f.readinto(b)
   if not k:break
   h.update(memoryview(b)[:k])
 return _x(h.digest()).decode()
def _l(d):
 for e in os.ilistdir(d or '/'):
  n=d+'/'+e[0] if d else e[0]
  if e[1]&0x4000:yield from _l(n)
  else:yield n
def _p(n,k):
 for i in range(1,n.count('/')+1):
  try:os.mkdir('/'.join(n.split('/')[:i]))
  except OSError:pass
 b=bytearray(256);m=memoryview(b);s=sys.stdin.buffer;o=sys.stdout.buffer
 micropython.kbd_intr(-1)
 try:
  with open(n+'.new','wb') as f:
   o.write(b'#')
   while k:
    c=min(k,256);s.readinto(m[:c]);f.write(m[:c]);k-=c;o.write(b'.')
 finally:micropython.kbd_intr(3)
 print(_h(n+'.new'))
def _d(n):
 try:os.remove(n)
 except OSError:pass
"""


class FlashError(IpchError):
    """The board did not carry out a request."""


class NotOffError(IpchError):
    """The regulator on the board is in use."""

    exit_code = 5


@dataclass
class Report:
    """Result of a flash. `changed` and `removed` are names on the board."""

    port: str
    before: str = ""  # answer to *IDN?, or the MicroPython version of a bare board
    after: str = ""
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    bytes_sent: int = 0
    seconds: float = 0.0
    health: dict[str, int] = field(default_factory=dict)  # of the restarted board, as Instrument.health()


def flash(
    port: str,
    *,
    force: bool = False,
    replace: bool = False,
    sources: bool = False,
    mhz: int = CLOCKS_MHZ[0],
    files: dict[str, bytes] | None = None,
    progress: Callable[[str, float], None] = lambda what, share: None,
    timeout_s: float = 10.0,
) -> Report:
    """Bring the board on `port` to this firmware and restart it.

    A regulator that is not OFF, or whose chamber is not vented, is not touched (NotOffError); with `force` it is shut
    first: its valves close and stay shut, and the gas stays in. A board with another program is restarted and left as
    it is (UsageError), unless `replace`. Files are compiled, unless `sources`: with those the board starts more slowly
    and has less free memory. `mhz` is the clock frequency of an RP2040, one of CLOCKS_MHZ. `progress(what, share)`
    reports each stage; `timeout_s` bounds each answer of the board.
    Raises NoDeviceError, PortBusyError, NotOffError, UsageError, FileError, FlashError, DeviceLostError.
    """
    started = time.monotonic()
    port = _lasting(resolve_port(port))
    report = Report(port)
    progress("asking the board", 0.0)

    def ask() -> None:
        report.before = _to_prompt(port, force, timeout_s) or report.before

    ask()
    with _repl(port, timeout_s, ask) as repl:
        about = _suitable(repl, replace)
        if not report.before:
            report.before = "MicroPython " + about["version"]
        try:
            if not about["mpy"] and not sources:
                raise FlashError(
                    f"MicroPython {about['version']} on the board loads no files compiled for version "
                    f"{MPY_VERSION}.{MPY_SUB_VERSION}: install 1.23 or newer, or --sources for slow, large source files"
                )
            wanted = files if files is not None else firmware_files(not sources, mhz)
        except BaseException:
            # Nothing was changed, so the program that was stopped runs again.
            with contextlib.suppress(Exception):
                if report.before.startswith("ipch,"):
                    repl.restart()
                else:
                    repl.resume()
            raise
        _update(repl, wanted, report, progress)
        progress("restarting", 0.97)
        repl.restart()
    report.after, report.health = _identify(port, timeout_s)
    if not report.after:
        raise FlashError(
            f"the firmware was written and verified, but does not answer on {port}; {HOW_TO_RESCUE}"
        )
    report.seconds = time.monotonic() - started
    return report


def _suitable(repl: _Repl, replace: bool) -> dict[str, Any]:
    """The board's versions. UsageError for another kind of board or another program, which then runs on."""
    try:
        about = repl.about()
        name, line = repl.start_file()
        if name and not replace:
            raise UsageError(
                f"the board runs another program: its {name} begins with {line!r}; nothing was changed. Name another "
                "--port, or --replace to overwrite that program"
            )
    except UsageError:
        repl.resume()
        raise
    if name:
        # It runs before main.py.
        repl.remove("boot.py")
    return about


def _update(
    repl: _Repl, wanted: dict[str, bytes], report: Report, progress: Callable[[str, float], None]
) -> None:
    there = repl.hashes()
    changed = [name for name, data in wanted.items() if there.get(name) != hashlib.sha256(data).hexdigest()]
    stale = [name for name in there if name not in wanted and _is_ours(name, wanted)]
    report.unchanged = len(wanted) - len(changed)
    if changed or stale:
        # Without main.py the board boots into its prompt, whatever the state of the other files.
        repl.remove("main.py")
        if "main.py" in wanted and "main.py" not in changed:
            changed.append("main.py")
    for name in stale:
        repl.remove(name)
        report.removed.append(name)
    total = sum(len(wanted[name]) for name in changed) or 1
    for name in changed:
        progress(name, report.bytes_sent / total * 0.95)
        repl.put(name, wanted[name])
        report.bytes_sent += len(wanted[name])
        report.changed.append(name)
    if changed:
        repl.sync()


def _is_ours(name: str, wanted: dict[str, bytes]) -> bool:
    """Whether a file on the board is old code of this firmware, or half a file from an earlier try."""
    if name.endswith(".new"):
        return name[:-4] in wanted or name[:-4].endswith((".py", ".mpy"))
    if not name.endswith((".py", ".mpy")):
        return False
    folders = {each.split("/")[0] for each in wanted if "/" in each}
    stem = name.rsplit(".", 1)[0]
    return (
        name.split("/")[0] in folders
        or stem in _FORMER
        or any(each.rsplit(".", 1)[0] == stem for each in wanted)
    )


def _to_prompt(port: str, force: bool, timeout_s: float) -> str:
    """Bring a running firmware to its prompt; return its identity, "" without a firmware."""
    transport = Transport(port)
    try:
        identity = _ask(transport, "*IDN?", max(min(timeout_s, 3.0), timeout_s / 10))
        if not identity.startswith("ipch,"):
            return ""
        state = _fetch(transport, timeout_s).get("state", "")
        if state != "OFF":
            if not force:
                raise NotOffError(
                    f"the regulator on {port} is not off (its state is {state or 'unknown'}); "
                    "`ipch off` first, or --force to shut every valve; the pressure stays in the chamber"
                )
            for command in (":OUTP OFF", ":SYST:FAUL:ACK"):
                transport.write_line(command)
                _ask(transport, ":SYST:ERR?", timeout_s, _ERROR)
            state = _fetch(transport, timeout_s).get("state", "")
            if state != "OFF":
                raise NotOffError(
                    f"the regulator on {port} stays in {state}: the cause persists; {HOW_TO_RESCUE}"
                )
        answer = _maintain(transport, ":SYST:MAIN FORC" if force else ":SYST:MAIN", timeout_s)
        if force and answer.startswith("-108,"):
            # A firmware from before the word.
            answer = _maintain(transport, ":SYST:MAIN", timeout_s)
        if "in the chamber" in answer or "not known" in answer:
            raise NotOffError(
                f"the board on {port} refuses: {_reason(answer)} (`ipch vent --wait`), or use --force: every "
                "valve shuts, the gas stays in, and nothing monitors it"
            )
        if answer.startswith("-221,"):
            raise NotOffError(
                f"the regulator on {port} refuses maintenance: {_reason(answer)}; `ipch ack` first, or {HOW_TO_RESCUE}"
            )
        if answer and not answer.startswith("0,"):
            raise FlashError(f"the board refuses maintenance: {answer}")
        return identity
    finally:
        transport.close()


def _maintain(transport: Transport, command: str, timeout_s: float) -> str:
    """The error after a request for maintenance, "" if the board has gone."""
    transport.write_line(command)
    return _ask(transport, ":SYST:ERR?", timeout_s, _ERROR)


def _reason(answer: str) -> str:
    """The device's own words in an answer to :SYST:ERR?."""
    return answer.partition('"')[2].rstrip('"').partition(";")[2].partition(";")[0]


def _fetch(transport: Transport, timeout_s: float) -> dict[str, str]:
    names = _ask(transport, ":FETC:FIEL?", timeout_s, r"[a-z_]+,[a-z_0-9,]+$").split(",")
    values = _ask(transport, ":FETC?", timeout_s, r"\d+,.*,").split(",")
    return dict(zip(names, values, strict=False))


def _lasting(port: str) -> str:
    """The USB serial number of a board on this port: a restart may change the path."""
    for info in list_ports():
        if info.port == port and info.kind == "board" and info.serial_number:
            return info.serial_number
    return port


def _ask(transport: Transport, query: str, timeout_s: float, like: str = "") -> str:
    """The answer to a query, or "" for none. An echo (from a prompt) is no answer.

    `like` is a pattern of its beginning, because a slow board may still answer an earlier query.
    """
    transport.drain(0.05)
    transport.write_line(query)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        line = transport.read_line(deadline - time.monotonic())
        if line is None:
            return ""
        if line.startswith((">>>", "Traceback", "  File", "SyntaxError")) or query in line:
            return ""
        if line.strip() and re.match(like, line):
            return line
    return ""


def _identify(port: str, timeout_s: float) -> tuple[str, dict[str, int]]:
    """Answer to *IDN? and health once the board is back on its port.

    "" and nothing if it does not return within three times `timeout_s`.
    """
    deadline = time.monotonic() + max(timeout_s, 5.0) * 3
    while time.monotonic() < deadline:
        with contextlib.suppress(NoDeviceError, PortBusyError, DeviceLostError):
            transport = Transport(port)
            try:
                answer = _ask(transport, "*IDN?", max(2.0, timeout_s / 10))
                if answer.startswith("ipch,"):
                    return answer, health(_ask(transport, ":DIAG:COUN?", timeout_s, r"\d+(,\d+)+$"))
            finally:
                transport.close()
        time.sleep(0.2)
    return "", {}


class _Repl:
    """The raw prompt of a board, with the helper loaded."""

    def __init__(self, serial_transport: Any, timeout_s: float) -> None:
        self._raw = serial_transport
        self._timeout_s = timeout_s
        self._run(_HELPER)

    def about(self) -> dict[str, Any]:
        """MicroPython version, and whether it loads our compiled files. UsageError for another kind of board."""
        text = self._run(
            "i=sys.implementation;"
            "print((sys.platform,i.name,'.'.join(str(x) for x in i.version[:3]),getattr(i,'_mpy',0)))"
        )
        platform, name, version, mpy = ast.literal_eval(text)
        if (platform, name) != ("rp2", "micropython"):
            raise UsageError(
                f"this board runs {name} on {platform}; a Raspberry Pi Pico with MicroPython is needed"
            )
        # Native code depends on both versions of the format.
        return {"version": version, "mpy": mpy & 0x3FF == MPY_VERSION | MPY_SUB_VERSION << 8}

    def start_file(self) -> tuple[str, str]:
        """Name and beginning of the file that starts another program, ("", "") without one."""
        # Every version of our main.py imports `board`, and our other files are there when it is. An empty file is no
        # program.
        text = self._run(
            "def _t(n):\n"
            " try:\n"
            "  with open(n,'rb') as f:return f.read(2000).strip()\n"
            " except OSError:return b''\n"
            "m=_t('main.py')\n"
            "if b'import board' in m and 'regulator' in os.listdir():print(('',b''))\n"
            "elif m:print(('main.py',m[:60]))\n"
            "else:\n"
            " b=_t('boot.py')\n"
            " print(('boot.py' if b else '',b[:60]))"
        )
        name, content = ast.literal_eval(text)
        return name, content.decode(errors="replace").partition("\n")[0].rstrip()

    def hashes(self) -> dict[str, str]:
        """SHA-256 of every file on the board, by name."""
        text = self._run("for n in _l(''):print(n,_h(n))")
        return dict(line.rsplit(" ", 1) for line in text.splitlines() if line)

    def remove(self, name: str) -> None:
        self._run(f"_d({name!r})")

    def put(self, name: str, data: bytes) -> None:
        """Write a file beside the old one, compare its hash, and replace the old one."""
        self._raw.exec_raw_no_follow(f"_p({name!r},{len(data)})")
        serial = self._raw.serial
        self._expect(serial, b"#", name)
        for start in range(0, len(data), _CHUNK):
            serial.write(data[start : start + _CHUNK])
            self._expect(serial, b".", name)
        output, error = self._raw.follow(self._timeout_s)
        if error or output.decode().strip() != hashlib.sha256(data).hexdigest():
            raise FlashError(
                f"{name} arrived damaged on the board; try again. {error.decode().strip()}".strip()
            )
        other = name[:-4] + ".py" if name.endswith(".mpy") else name[:-3] + ".mpy"
        self._run(f"_d({other!r})\nos.rename({name + '.new'!r},{name!r})")

    def sync(self) -> None:
        self._run("os.sync() if hasattr(os,'sync') else None")

    def resume(self) -> None:
        """Leave the prompt: a soft reset starts the board's own program again."""
        with contextlib.suppress(Exception):
            self._raw.exit_raw_repl()
            self._raw.serial.write(b"\x04")
            self._raw.serial.flush()

    def restart(self) -> None:
        self._raw.exec_raw_no_follow(_RESTART)
        with contextlib.suppress(Exception):
            self._raw.serial.flush()
        time.sleep(0.3)

    def _expect(self, serial: Any, mark: bytes, name: str) -> None:
        deadline = time.monotonic() + self._timeout_s
        while time.monotonic() < deadline:
            if serial.in_waiting:
                found = serial.read(1)
                if found == mark:
                    return
                rest = found + serial.read(serial.in_waiting)
                raise FlashError(f"{name} could not be written: {rest.decode('ascii', 'replace').strip()}")
            time.sleep(0.001)
        raise DeviceLostError(
            f"device lost: {self._raw.device_name} stopped while {name} was written; try again"
        )

    def _run(self, code: str) -> str:
        from mpremote.transport import TransportError

        try:
            return str(self._raw.exec(code).decode())
        except TransportError as error:
            raise FlashError(f"the board failed at its prompt: {error}; try again") from None


@contextlib.contextmanager
def _repl(port: str, timeout_s: float, ask: Callable[[], None]) -> Iterator[_Repl]:
    """The prompt of the board; waits while the board restarts. Raises NoDeviceError.

    `ask()` requests it again: a board that was booting may run its firmware by now, which ignores Ctrl-C.
    """
    from mpremote.transport import TransportError
    from mpremote.transport_serial import SerialTransport

    deadline = time.monotonic() + timeout_s * 2
    raw: Any = None
    while raw is None:
        try:
            # Bytes sent during the restart are lost, and mpremote waits forever for a pseudo-terminal's answer.
            raw = SerialTransport(resolve_port(port), 115200, timeout=_PROMPT_S)
            # On failure mpremote prints what it read, which must not mix with the results on stdout.
            with contextlib.redirect_stdout(io.StringIO()):
                raw.enter_raw_repl(soft_reset=False, timeout_overall=timeout_s)
            raw.serial.timeout = timeout_s
        except (TransportError, NoDeviceError, OSError) as error:
            if raw is not None:
                raw.close()
                raw = None
            if time.monotonic() > deadline:
                raise NoDeviceError(
                    f"no MicroPython prompt on {port} ({error}); {HOW_TO_RESCUE}, or {HOW_TO_INSTALL}"
                ) from None
            time.sleep(0.2)
            with contextlib.suppress(NoDeviceError, PortBusyError, DeviceLostError):
                ask()
    try:
        yield _Repl(raw, timeout_s)
    except OSError as error:
        raise DeviceLostError(
            f"device lost: {port} ({error}); run the command again, the board waits at its prompt"
        ) from None
    finally:
        raw.close()
