"""A file server like AEMO's, on this machine: folders listed as its server lists them, and every way to fail."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

Fault = Callable[[BaseHTTPRequestHandler, bytes], None]  # answers a request itself, given the body it should have got


@dataclass
class AemoServer:
    """Serves the tree at ``root``. ``asked`` are the requests so far, as (path, headers)."""

    root: Path
    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    faults: list[tuple[str, Fault, list[int]]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    listed_at: str = "Thursday, May 16, 2019 10:40 AM"

    def publish(self, path: str, content: bytes) -> None:
        """Have ``content`` at ``path``, below the root, as its newest version."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def withdraw(self, path: str) -> None:
        (self.root / path).unlink()

    def fail(self, where: str, fault: Fault, times: int = 10**9) -> None:
        """Have requests whose path holds ``where`` answered by ``fault``, so many times."""
        self.faults.append((where, fault, [times]))

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [path for path, _ in self.asked]

    def fault_for(self, path: str) -> Fault | None:
        for where, fault, left in self.faults:
            if where in path and left[0] > 0:
                left[0] -= 1
                return fault
        return None

    def listing(self, folder: Path, path: str) -> bytes:
        # AEMO's server, asked for CURRENT, links to Current.
        place = path.rstrip("/").replace("/CURRENT", "/Current")
        lines = [f'<A HREF="{place.rpartition("/")[0]}/">[To Parent Directory]</A><br><br>']
        for entry in sorted(folder.iterdir()):
            size = "&lt;dir&gt;" if entry.is_dir() else entry.stat().st_size
            href = f"{place}/{quote(entry.name)}{'/' if entry.is_dir() else ''}"
            lines.append(f'{self.listed_at} {size:>12} <A HREF="{href}">{entry.name}</A><br>')
        title = f"nemweb.com.au - {place}/"
        page = f"<html><head><title>{title}</title></head><body><H1>{title}</H1><hr>\n<pre>{' '.join(lines)}</pre><hr>"
        return f"{page}</body></html>".encode()


@contextmanager
def serve(root: Path) -> Iterator[AemoServer]:
    """``root`` served on a port of this machine until the block ends."""
    server = AemoServer(root)
    with _Http(("127.0.0.1", 0), _handler(server)) as http:
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            http.shutdown()
            thread.join()


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is none of ours to report."""


def _handler(server: AemoServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 65_536

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            server.asked.append((path, dict(self.headers)))
            place = server.root / unquote(path).replace("/Current/", "/CURRENT/").lstrip("/")
            body = server.listing(place, path) if place.is_dir() else place.read_bytes() if place.is_file() else None
            if fault := server.fault_for(path):
                fault(self, body or b"")
            elif body is None:
                send(self, 404, b"<html>404 - File or directory not found.</html>")
            else:
                self.whole(body)

        def whole(self, body: bytes) -> None:
            tag = f'"{hashlib.md5(body).hexdigest()}"'
            if self.headers.get("If-None-Match") == tag:
                send(self, 304, b"", ETag=tag)
            elif self.headers.get("If-Range") == tag:
                start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
                send(self, 206, body[start:], ETag=tag, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")
            else:
                send(self, 200, body, ETag=tag)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def send(request: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    request.send_response(status)
    for name, value in ({"Content_Length": str(len(body))} | headers).items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)


def status(code: int, **headers: str) -> Fault:
    """Answer with this status, and these headers (``Retry_After``)."""
    return lambda request, _body: send(request, code, b"<html>no</html>", **headers)


def error_page(request: BaseHTTPRequestHandler, _body: bytes) -> None:
    """200, and a page that says what is wrong."""
    send(request, 200, b"<html><body><h1>Server Error in '/' Application.</h1><a href='/'>Home</a></body></html>")


def dies_midway(request: BaseHTTPRequestHandler, body: bytes) -> None:
    """Half of what was promised, and the connection is gone."""
    tag = f'"{hashlib.md5(body).hexdigest()}"'
    request.send_response(200)
    request.send_header("Content-Length", str(len(body)))
    request.send_header("ETag", tag)
    request.end_headers()
    request.wfile.write(body[: len(body) // 2])
    request.wfile.flush()
    request.close_connection = True


def cut_short(request: BaseHTTPRequestHandler, body: bytes) -> None:
    """Half of it, said to be all: a proxy's doing, which only the listing gives away."""
    send(request, 200, body[: len(body) // 2])


def moved_to_404(request: BaseHTTPRequestHandler, _body: bytes) -> None:
    """How AEMO's server says that there is nothing."""
    send(request, 302, b"", Location="/404")
