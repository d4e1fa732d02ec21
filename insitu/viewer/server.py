"""A local server of the page and its steps: one address of this computer, with a secret in it.

In: what to show. Out: an HTTP server on 127.0.0.1 that answers five kinds of requests and writes
nothing.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from insitu.codecs.frame import FrameError
from insitu.viewer import page
from insitu.viewer.source import Catalogue, ViewSource

_QUIET = 10.0  # s after which a waiting browser gets a sign of life


class ViewServer:
    """Serves one source until it is closed. Use as a context manager, or call `close`.

    Attributes:
        url: address with the secret; without it nothing is answered.
    """

    def __init__(
        self, source: Callable[[], ViewSource], *, live: bool = False, port: int = 0
    ) -> None:
        """source: what to show now; asked again for news if `live`. port: 0: any that is free."""
        self._find, self.live = source, live
        self.source = source()
        self.catalogue: Catalogue = self.source.catalogue()
        self._token = secrets.token_urlsafe(18)
        self._news = threading.Condition()
        self._version, self._closed = 0, False
        self._lock = threading.Lock()  # one step is decoded at a time
        handler = type("Handler", (_Handler,), {"view": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._http.daemon_threads = True
        self.port = int(self._http.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/{self._token}/"
        self._threads = [threading.Thread(target=self._http.serve_forever, daemon=True)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> ViewServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop to answer."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._http.shutdown()
        self._http.server_close()

    def update(self) -> None:
        """The source may have more to show: browsers that wait are told."""
        source = self._find()
        catalogue = source.catalogue()
        with self._news:
            self.source, self.catalogue = source, catalogue
            self._version += 1
            self._news.notify_all()

    def wait(self, seen: int) -> tuple[int, Catalogue | None]:
        """The next version after `seen`, and its catalogue: None if there is nothing new yet.

        The version is -1 when the server has closed."""
        with self._news:
            self._news.wait_for(lambda: self._closed or self._version != seen, _QUIET)
            if self._closed:
                return -1, None
            return self._version, self.catalogue if self._version != seen else None

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, type and content for the path of a request without the secret."""
        if path == "":
            text = page.served(self.catalogue, live=self.live)
            return 200, "text/html; charset=utf-8", text.encode()
        parts = path.split("/")
        if parts[0] == "step" and len(parts) == 3 and all(p.isdecimal() for p in parts[1:]):
            return self._step(int(parts[1]), int(parts[2]))
        numbers = map(str, range(len(self.catalogue["lines"])))
        if parts[0] == "lines" and len(parts) == 2 and parts[1] in numbers:
            return 200, "application/octet-stream", self.source.lines(int(parts[1]))
        return 404, "text/plain; charset=utf-8", b"not found"

    def is_mine(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self._token.encode())

    def _step(self, field: int, cycle: int) -> tuple[int, str, bytes]:
        source, fields = self.source, self.catalogue["fields"]
        steps = fields[field]["steps"] if field < len(fields) else []
        at = [i for i, step in enumerate(steps) if step["cycle"] == cycle]
        if not at:
            return 404, "text/plain; charset=utf-8", b"this step is no longer there"
        try:
            with self._lock:
                packed = source.pack(field, at[0])
        except (FrameError, OSError) as error:
            return 500, "text/plain; charset=utf-8", str(error).encode()
        return 200, "application/octet-stream", packed.data


class _Handler(BaseHTTPRequestHandler):
    view: ViewServer
    server_version, sys_version = "insitu", ""

    def do_GET(self) -> None:
        view, hosts = self.view, ("127.0.0.1", "localhost")
        token, slash, path = self.path.lstrip("/").partition("/")
        # The Host header: a page of another site cannot reach us by a name that it points to us.
        if self.headers.get("Host") not in [f"{host}:{view.port}" for host in hosts]:
            self._send(403, "text/plain", b"forbidden")
        elif not slash or not view.is_mine(token):
            self._send(403, "text/plain", b"forbidden: the address lacks its secret")
        elif path == "events" and view.live:
            self._events()
        else:
            self._send(*view.answer(path))

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self._headers(kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _headers(self, kind: str) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")

    def _events(self) -> None:
        """Server-sent events: the catalogue whenever it changes, until the browser leaves."""
        self.send_response(200)
        self._headers("text/event-stream")
        self.end_headers()
        seen = -2
        try:
            while (news := self.view.wait(seen))[0] >= 0:
                seen, catalogue = news
                text = ": waiting\n\n"
                if catalogue is not None:
                    text = f"event: catalogue\ndata: {json.dumps(catalogue, allow_nan=False)}\n\n"
                self.wfile.write(text.encode())
                self.wfile.flush()
            self.wfile.write(b"event: end\ndata:\n\n")
        except OSError:  # the browser has left
            return

    def log_message(self, format: str, *arguments: Any) -> None:
        """Requests are not logged."""
