"""A read-only HTTP server for pages, their events and their history.

It is the standard library's: the programs that serve are threads around a serial line, a page needs a dozen lines of
HTTP, and an event loop with a framework would be five packages that every computer beside a rig has to install.
"""

import hmac
import http.cookies
import ipaddress
import json
import socket
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, quote, urlsplit

from ipch.errors import UsageError
from ipch.live.feed import Feed

DEFAULT_ADDRESS = "127.0.0.1:8765"
SHORTEST_TOKEN = 16
# At most five messages a second and page; a sign of life every second.
_LEAST_S, _LIFE_S = 0.2, 1.0
# A browser opens one stream a page.
_MOST_STREAMS = 100
_REQUEST_S = 10.0
_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript"}
_TITLES = {"device": "pressure", "devices": "devices"}
# Nothing from elsewhere, nothing to elsewhere; plotly sets styles and builds images for the camera.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:;"
    " connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_COOKIE = "ipch_token"


class Server:
    """Serves feeds until it is closed. With `alone` there is one device, whose page is the first one."""

    def __init__(
        self, address: str, feeds: Mapping[str, Feed], token: str | None = None, *, alone: bool = False
    ) -> None:
        """`address` is HOST:PORT. Raises UsageError for a bad or taken address, and for one that others could reach
        without a token."""
        host, port = _parse(address)
        if token is not None and len(token) < SHORTEST_TOKEN:
            raise UsageError(f"a token has at least {SHORTEST_TOKEN} characters")
        if token is None and not _is_loopback(host):
            raise UsageError(
                f"{address} can be reached from other computers: give a token of at least {SHORTEST_TOKEN} characters"
                " (--http-token, or IPCH_HTTP_TOKEN), or serve on 127.0.0.1"
            )
        self.feeds = feeds
        self.alone = alone
        self.token = token
        self.streams = threading.Semaphore(_MOST_STREAMS)
        self.ended = threading.Event()
        handler = type("Handler", (_Handler,), {"served": self})
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        kind = type("Listener", (_Listener,), {"address_family": family})
        try:
            self._http = kind((host, port), handler)
        except (OSError, OverflowError) as error:
            raise UsageError(f"cannot serve on {address}: {error}; name another with --http") from error
        shown = f"[{host}]" if ":" in host else host
        self.address = f"{shown}:{self._http.server_address[1]}"
        self.url = f"http://{self.address}/" + (f"?token={token}" if token else "")
        self._thread = threading.Thread(target=self._http.serve_forever, name="ipch-http", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self.ended.set()
        self._http.shutdown()
        self._http.server_close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: standard error belongs to the command, and a closed page is no error."""


class _Handler(BaseHTTPRequestHandler):
    served: Server
    timeout = _REQUEST_S
    server_version, sys_version = "ipch", ""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if not self._may_read(query):
            return
        pages: dict[str, Callable[[dict[str, str]], None]] = {
            "/": self._first,
            "/devices": self._tiles,
            "/device": self._device,
            "/events": self._events,
            "/history": self._history,
            "/plotly.js": self._plotly,
            "/metrics": self._metrics,
        }
        if url.path in pages:
            pages[url.path](query)
        elif url.path in ("/live.js", "/live.css", "/device.js", "/devices.js"):
            self._file(url.path[1:])
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "no such page")

    def _may_read(self, query: dict[str, str]) -> bool:
        """Check the token, or without one the name by which the server was called."""
        token = self.served.token
        if token is None:
            # A page of another origin may resolve its own name to this address (DNS rebinding).
            host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
            if host in ("localhost", "127.0.0.1", "::1") or _is_loopback(host or ""):
                return True
            self._refuse(HTTPStatus.FORBIDDEN, "this server accepts requests for localhost only")
            return False
        cookies = http.cookies.SimpleCookie(self.headers.get("Cookie", ""))
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        given = [query.get("token", ""), cookies[_COOKIE].value if _COOKIE in cookies else "", bearer]
        if not any(hmac.compare_digest(each.encode(), token.encode()) for each in given):
            self._refuse(HTTPStatus.UNAUTHORIZED, "a token is needed: open the address with ?token=TOKEN")
            return False
        if query.get("token"):
            # The address bar, the history and links show it no longer.
            self.send_response(HTTPStatus.SEE_OTHER)
            self.send_header("Set-Cookie", f"{_COOKIE}={quote(token)}; HttpOnly; SameSite=Strict; Path=/")
            self.send_header("Location", urlsplit(self.path).path)
            self._end_headers(0)
            return False
        return True

    def _first(self, query: dict[str, str]) -> None:
        self._page("device" if self.served.alone else "devices")

    def _tiles(self, query: dict[str, str]) -> None:
        self._page("devices")

    def _device(self, query: dict[str, str]) -> None:
        self._page("device")

    def _feed(self, query: dict[str, str]) -> Feed | None:
        feeds = dict(self.served.feeds)
        name = query.get("serial") or (next(iter(feeds), "") if self.served.alone else "")
        if name not in feeds:
            self._refuse(HTTPStatus.NOT_FOUND, "no such device")
        return feeds.get(name)

    def _history(self, query: dict[str, str]) -> None:
        feed, span = self._feed(query), query.get("span", "hour")
        if feed is None:
            return
        try:
            columns = feed.history.columns(span)
        except KeyError:
            self._refuse(HTTPStatus.NOT_FOUND, "a span is hour, day or all")
            return
        self._send(json.dumps(columns).encode(), "application/json")

    def _metrics(self, query: dict[str, str]) -> None:
        from ipch.fleet import exposition

        try:
            body, kind = exposition(self.served.feeds, self.headers.get("Accept", ""))
        except UsageError as error:
            self._refuse(HTTPStatus.NOT_IMPLEMENTED, str(error))
            return
        self._send(body, kind)

    def _plotly(self, query: dict[str, str]) -> None:
        from plotly.offline import get_plotlyjs

        self._send(get_plotlyjs().encode(), "text/javascript", cache="max-age=86400")

    def _page(self, name: str) -> None:
        frame, body = (
            _HERE.joinpath(file).read_text(encoding="utf-8") for file in ("page.html", f"{name}.html")
        )
        for place, text in (("title", _TITLES[name]), ("name", name), ("body", body)):
            frame = frame.replace(f"{{{place}}}", text)
        self._send(frame.encode(), "text/html")

    def _file(self, name: str) -> None:
        path = _HERE / name
        self._send(path.read_bytes(), _TYPES[path.suffix])

    def _events(self, query: dict[str, str]) -> None:
        """A stream of server-sent events: of one device with its every change, or of all once a second."""
        feed = self._feed(query) if "serial" in query or self.served.alone else None
        if feed is None and ("serial" in query or self.served.alone):
            return
        if not self.served.streams.acquire(blocking=False):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many pages are open")
            return
        try:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/event-stream")
            self._end_headers(None)
            self.wfile.write(b"retry: 1000\n\n")
            if feed is not None:
                self._stream_one(feed)
            else:
                self._stream_all()
        except OSError:
            pass  # the page was closed
        finally:
            self.served.streams.release()

    def _stream_one(self, feed: Feed) -> None:
        version = -1
        while not self.served.ended.is_set():
            now = feed.wait(version, _LIFE_S)
            if now != version:
                self._event("state", feed.message())
                version = now
            else:
                self._event("alive", json.dumps({"age_s": round(min(feed.age_s, 1e9), 1)}))
            if feed.ended:
                return
            self.served.ended.wait(_LEAST_S)

    def _stream_all(self) -> None:
        while not self.served.ended.is_set():
            feeds = dict(self.served.feeds)
            self._event("devices", f"[{','.join(feeds[name].message() for name in sorted(feeds))}]")
            self.served.ended.wait(_LIFE_S)

    def _event(self, kind: str, data: str) -> None:
        self.wfile.write(f"event: {kind}\ndata: {data}\n\n".encode())
        self.wfile.flush()

    def _send(self, body: bytes, kind: str, cache: str = "no-store") -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind if "charset" in kind else f"{kind}; charset=utf-8")
        self.send_header("Cache-Control", cache)
        self._end_headers(len(body))
        self.wfile.write(body)

    def _refuse(self, code: HTTPStatus, text: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self._end_headers(len(text) + 1)
        self.wfile.write(f"{text}\n".encode())

    def _end_headers(self, length: int | None) -> None:
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: standard error belongs to the command."""


def _parse(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    host = host.strip("[]")
    if not colon or not host or not port.isdecimal() or not int(port) < 65536:
        raise UsageError(f"not an address: {address!r}; expected HOST:PORT, as {DEFAULT_ADDRESS}")
    return host, int(port)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
