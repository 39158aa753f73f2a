"""Waiting for a call over HTTP."""

import queue
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ipch.errors import UsageError

WEBHOOK_PORT = 8377


class Webhooks:
    """Listens on the loopback interface: `POST /NAME` releases the step that waits for NAME.

    A call that arrives before its step is kept for that step. Calls from web pages are refused.
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
            raise UsageError(
                f"cannot wait for webhooks on port {port}: {error}; choose another port"
            ) from error
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
