"""Asking a file server politely: folders and files by HTTP, bounded in size and time, patient when refused.

One connection, one request at a time. What fails for now is asked again a few times, later each time; a server that stays
away, or says to go away, is left alone for the rest of the run.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

import httpx

from nem.errors import FileAbsentError, ServerBusyError, SourceFormatError, SourceUnavailableError
from nem.listing import MOST_BYTES, Link, read_listing

T = TypeVar("T")
AGENT = f"nemwarm/{version('nemwarm')} python-httpx/{httpx.__version__}"
TIMEOUT = httpx.Timeout(20.0, connect=10.0)
MOST_FILE_BYTES = 16 * 2**30  # a month as one zip: up to 7.7 GB
PAUSES = (2.0, 8.0)  # seconds before asking again, unless the server names its own
MOST_PATIENCE = 60.0  # seconds: who asks to wait longer is asked in a later run
LEAST_PEACE, MOST_PEACE = 900.0, 86_400.0  # seconds: how long a server that refuses is left alone, whatever it says
MOST_FAILURES = 3  # addresses in a row, then the server is down
GRACE, SLOWEST = 30.0, 10_000.0  # after so many seconds, fewer bytes a second than this is a server that hangs


class _AgainError(Exception):
    """What may pass; ``after`` seconds if the server says so."""

    def __init__(self, reason: str, after: float = 0.0, *, is_refusal: bool = False) -> None:
        super().__init__(reason)
        self.after, self.is_refusal = after, is_refusal


@dataclass(slots=True)
class _Partial:
    """A file on its way: ``tag`` is the version that ``path`` holds the beginning of."""

    path: Path
    tag: str = ""


@dataclass(slots=True)
class Web:
    """A file server, for one run. ``sleep`` and ``clock`` are those of ``time``, or a test's."""

    client: httpx.Client
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _failures: int = 0
    _down: SourceUnavailableError | None = None

    @property
    def is_down(self) -> bool:
        """Whether the server is left alone for the rest of this run: all that is asked now fails at once."""
        return self._down is not None

    @property
    def refused_for(self) -> float:
        """The seconds for which the server does not want to be asked; 0 where it did not refuse."""
        return self._down.seconds if isinstance(self._down, ServerBusyError) else 0.0

    def list_folder(self, url: str, tag: str = "") -> tuple[list[Link], str] | None:
        """The files of a folder, and the page's tag; None where that is still ``tag``.

        A tag is what a server calls a version of something, its ETag or its time; empty where it does not.

        Raises:
            FileAbsentError: there is no such folder.
            SourceFormatError: what came is no listing.
            SourceUnavailableError: the server is away (ServerBusyError: or wants to be left alone).
        """
        answer = self._asked(url, lambda: self._read_page(url, tag))
        return answer and (read_listing(answer[0], url), answer[1])

    def fetch(self, url: str, path: Path, *, size: int | None = None, tag: str = "") -> str | None:
        """Have the file at ``path`` and return its tag; None, and no file, where that is still ``tag``.

        It is renamed into place once its last byte has come, ``size`` of them if that is known.

        Raises:
            FileAbsentError: there is no such file, or no longer.
            SourceFormatError: it is larger than any of AEMO's.
            SourceUnavailableError: as above, or the disk is full; nothing is at ``path``.
        """
        partial = _Partial(path.with_name(f"{path.name}.part"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            new_tag = self._asked(url, lambda: self._read_file(url, partial, size, tag))
            if new_tag is not None:
                partial.path.replace(path)
        except OSError as error:
            raise SourceUnavailableError(f"{path.name} cannot be kept: {error}") from error
        finally:
            partial.path.unlink(missing_ok=True)
        return new_tag

    def _asked(self, url: str, ask: Callable[[], T]) -> T:
        """What ``ask`` returns, asked again while it may pass."""
        if self._down:
            raise self._down
        try:
            answer = self._persist(url, ask)
        except FileAbsentError:
            self._failures = 0
            raise
        except SourceUnavailableError as error:
            self._failures += 1
            if isinstance(error, ServerBusyError) or self._failures >= MOST_FAILURES:
                self._down = error
            raise
        self._failures = 0
        return answer

    def _persist(self, url: str, ask: Callable[[], T]) -> T:
        pauses = iter(PAUSES)
        while True:
            try:
                return ask()
            except _AgainError as error:
                pause = next(pauses, None)
                wait = error.after or pause or 0.0
                if pause is None or wait > MOST_PATIENCE:
                    if error.is_refusal:
                        raise ServerBusyError(
                            f"{url}: {error}; it wants to be left alone", min(max(wait, LEAST_PEACE), MOST_PEACE)
                        ) from error
                    raise SourceUnavailableError(f"{url}: {error}") from error
            self.sleep(wait)

    def _read_page(self, url: str, tag: str) -> tuple[str, str] | None:
        with self._answer(url, _unless(tag)) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                return None
            page = b"".join(self._chunks(answer, answer.iter_bytes(), MOST_BYTES))
            return page.decode(answer.charset_encoding or "utf-8", errors="replace"), _tag(answer)

    def _read_file(self, url: str, partial: _Partial, size: int | None, tag: str) -> str | None:
        """Write what comes to ``partial``, after what came before if the server says it is still the same version."""
        asked = {"Accept-Encoding": "identity"} | _unless(tag)
        held = partial.path.stat().st_size if partial.path.exists() else 0
        if held and partial.tag:
            asked |= {"Range": f"bytes={held}-", "If-Range": partial.tag}
        with self._answer(url, asked) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                return None
            held = held if answer.status_code == httpx.codes.PARTIAL_CONTENT else 0
            partial.tag = _tag(answer)
            with partial.path.open("ab" if held else "wb") as file:
                for chunk in self._chunks(answer, answer.iter_raw(), MOST_FILE_BYTES - held):
                    held += file.write(chunk)
        if size is not None and held != size:
            partial.path.unlink()
            raise _AgainError(f"it is listed with {size:,} bytes, and {held:,} came")
        return partial.tag

    @contextmanager
    def _answer(self, url: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """An answer with a body to read. Everything else is an error: one that may pass, or not."""
        try:
            with self.client.stream("GET", url, headers=headers) as answer:
                _check(url, answer)
                yield answer
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects, httpx.DecodingError) as error:
            raise SourceUnavailableError(f"{url}: {error}") from error
        except httpx.TransportError as error:
            if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                self._failures = MOST_FAILURES  # nobody there: another address will not do better
            raise _AgainError(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error

    def _chunks(self, answer: httpx.Response, chunks: Iterator[bytes], most: int) -> Iterator[bytes]:
        """The body, as long as it is no longer than ``most`` and comes at the pace of a line that works."""
        stated, total, began = answer.headers.get("Content-Length", ""), 0, self.clock()
        if stated.isdecimal() and int(stated) > most:
            raise SourceFormatError(f"{answer.url} has {int(stated):,} bytes, more than any of AEMO's: refused")
        for chunk in chunks:
            total += len(chunk)
            if total > most:
                raise SourceFormatError(f"{answer.url} goes on after {most:,} bytes, more than any of AEMO's: refused")
            if self.clock() - began > GRACE + total / SLOWEST:
                raise _AgainError(f"{total:,} bytes in {self.clock() - began:.0f} s: too slow")
            yield chunk


@contextmanager
def open_web(*, agent: str | None = None) -> Iterator[Web]:
    """A ``Web`` with a connection of its own, that says it is ``agent``, else nemwarm."""
    with httpx.Client(
        headers={"User-Agent": agent or AGENT}, timeout=TIMEOUT, follow_redirects=True, max_redirects=5
    ) as client:
        yield Web(client)


def _check(url: str, answer: httpx.Response) -> None:
    """Pass what is the file asked for, or its being as it was; raise what the server says instead."""
    status, asked, came = answer.status_code, urlsplit(url), urlsplit(str(answer.url))
    if status in {httpx.codes.NOT_FOUND, httpx.codes.GONE} or _last(came.path).startswith("404"):
        raise FileAbsentError(f"{url}: not there (yet, or any more)")  # AEMO's server sends to /404, which may say 403
    if status in {httpx.codes.FORBIDDEN, httpx.codes.TOO_MANY_REQUESTS}:
        raise _AgainError(f"refused with {status}", _retry_after(answer), is_refusal=True)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        raise _AgainError(f"failed with {status}", _retry_after(answer))
    if status not in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT, httpx.codes.NOT_MODIFIED}:
        raise SourceUnavailableError(f"{url}: answered with {status}")
    if _host(asked) != _host(came) or _last(asked.path) != _last(came.path):
        raise SourceUnavailableError(f"{url}: sent on to {answer.url}, which is something else")


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2].casefold()


def _host(address: SplitResult) -> str:
    return (address.hostname or "").removeprefix("www.")


def _tag(answer: httpx.Response) -> str:
    """What the server calls this version: a strong ETag, or its time."""
    etag: str = answer.headers.get("ETag", "")
    return etag if etag.startswith('"') else answer.headers.get("Last-Modified", "")


def _unless(tag: str) -> dict[str, str]:
    if not tag:
        return {}
    return {"If-None-Match": tag} if tag.startswith('"') else {"If-Modified-Since": tag}


def _retry_after(answer: httpx.Response) -> float:
    """The seconds ``Retry-After`` asks for, as a number or as a time by the server's own clock; 0 without."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        until, now = (email.utils.parsedate_to_datetime(text) for text in (said, answer.headers.get("Date", "")))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return 0.0
