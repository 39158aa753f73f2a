"""What a recipe may wait for besides time and pressure: a file, a call over HTTP, a cycle in a cycler's file."""

import csv
import queue
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ipch.errors import UsageError

WEBHOOK_PORT = 8377
_CYCLE = re.compile(r"cycle[ _]?(index|number|count|id|no\.?)?( ?/ ?1)?|循环号|循环序号", re.IGNORECASE)
_LINE_LIMIT = 1_000_000


class Webhooks:
    """Listens on the loopback interface: `POST /NAME` lets a step go on that waits for NAME.

    A call that comes before its step is kept for it. Calls from web pages are refused.
    """

    def __init__(self, port: int = WEBHOOK_PORT) -> None:
        """Port 0 picks a free one. Raises UsageError if the port is taken."""
        self.calls: queue.SimpleQueue[str] = queue.SimpleQueue()
        calls = self.calls

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                name = self.path.strip("/")
                allowed = bool(re.fullmatch(r"[A-Za-z0-9_.-]+", name)) and "Origin" not in self.headers
                if allowed:
                    calls.put(name)
                self.send_response(202 if allowed else 403)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise UsageError(f"cannot wait for webhooks on port {port}: {error}; name another one") from error
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class CycleFile:
    """The highest cycle number in a table of text that a cycler is still writing; reads only what is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start()

    def _start(self) -> None:
        self._offset = 0
        self._inode = -1
        self._rest = b""
        self._column = -1
        self._separator = ","
        self.highest = 0

    def read(self) -> int:
        """The highest cycle so far, 0 as long as there is none; a file that was replaced is read anew."""
        try:
            with self._path.open("rb") as file:
                status = self._path.stat()
                if status.st_ino != self._inode or status.st_size < self._offset:
                    self._start()
                    self._inode = status.st_ino
                file.seek(self._offset)
                data = file.read()
        except OSError:
            # Not there yet, or locked while the cycler writes.
            return self.highest
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-_LINE_LIMIT:]
        for line in lines:
            self._take(line.decode("utf-8-sig", "replace").strip("\r"))
        return self.highest

    def _take(self, line: str) -> None:
        if self._column < 0:
            for separator in (",", "\t", ";"):
                names = [name.strip().strip('"') for name in line.split(separator)]
                columns = [at for at, name in enumerate(names) if _CYCLE.fullmatch(name)]
                if columns and len(names) > 1:
                    self._column, self._separator = columns[0], separator
            return
        cells = next(csv.reader([line], delimiter=self._separator), [])
        if len(cells) > self._column:
            try:
                number = float(cells[self._column].replace(",", "."))
            except ValueError:
                return
            if 0 < number < 1e9:
                self.highest = max(self.highest, int(number))
