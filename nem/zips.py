"""The CSV files in a file of AEMO's: one, or a zip of them, or a zip of such zips. They come from the network: with bounds."""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from nem.errors import SourceFormatError

# Bounds, each several times what AEMO sends: a month of DISPATCHLOAD unpacks to 2.5 GB, a week's zip holds 2,016 zips.
MOST_CSV_BYTES, MOST_ZIP_BYTES, MOST_ENTRIES, DEEPEST, MOST_RATIO = 8 * 2**30, 512 * 2**20, 10_000, 2, 200

_ENTRY = re.compile(r"[^/\\\0]{1,200}\.(zip|csv)", re.IGNORECASE)
# RuntimeError: encrypted; ValueError: a name that is not in the encoding it says.
_BROKEN = (OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, RuntimeError, ValueError)

T = TypeVar("T")
Read = Callable[[str, BinaryIO], T]  # given a file's name and its content
Choose = Callable[[Sequence[str]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that is not as it should be, and why, without its name; nothing of it is used."""

    name: str
    reason: str


def read_csvs(path: Path, read: Read[T], choose: Choose | None = None) -> Iterator[T | Rejected]:
    """What ``read`` makes of each CSV file at ``path``, which is one, or a zip of them, or a zip of such zips.

    Each goes by the way to it, ``week.zip/X.zip/X.CSV``. What cannot be read, is none of AEMO's, or is refused by ``read``
    with a SourceFormatError, is ``Rejected`` by itself. ``choose`` is given the names in the zip at ``path`` and says which
    of them to read, in order: only then may it hold folders, and what is none of AEMO's.
    """
    try:
        with _opening(), path.open("rb") as handle:
            yield from _read(handle, path.name, read, choose, depth=0)
    except SourceFormatError as error:
        yield Rejected(path.name, str(error))


@contextmanager
def _opening() -> Iterator[None]:
    """What a torn file or a broken zip makes the standard library raise, opened or read, in this package's words."""
    try:
        yield
    except _BROKEN as error:
        raise SourceFormatError(f"cannot be read: {error}") from error


def _read(handle: BinaryIO, name: str, read: Read[T], choose: Choose | None, *, depth: int) -> Iterator[T | Rejected]:
    if not name.lower().endswith(".zip"):
        yield read(name, handle)
        return
    with zipfile.ZipFile(handle) as archive:
        for entry in _entries(archive, choose, depth=depth):
            inner = f"{name}/{ascii(entry.filename[-200:])[1:-1]}"  # a stranger's words, soon on somebody's terminal
            try:
                _check(entry, is_chosen=choose is not None)
                with _opening(), archive.open(entry) as opened:
                    # A zip's directory is at its end, so one within a zip is held whole.
                    is_zip = inner.lower().endswith(".zip")
                    held = io.BytesIO(opened.read()) if is_zip else cast("BinaryIO", opened)
                    yield from _read(held, inner, read, None, depth=depth + 1)
            except SourceFormatError as error:
                yield Rejected(inner, str(error))


def _entries(archive: zipfile.ZipFile, choose: Choose | None, *, depth: int) -> list[zipfile.ZipInfo]:
    if depth >= DEEPEST:
        raise SourceFormatError(f"is a zip within more than {DEEPEST} zips")
    entries = archive.infolist()
    if not entries or len(entries) > MOST_ENTRIES:
        raise SourceFormatError(f"holds {len(entries)} files; 1 to {MOST_ENTRIES} are expected")
    if choose is None:
        return entries
    return [archive.getinfo(chosen) for chosen in choose([entry.filename for entry in entries])]


def _check(entry: zipfile.ZipInfo, *, is_chosen: bool) -> None:
    """Refuse what no file of AEMO's has: a path, another kind of file, a size or a ratio of a bomb."""
    if not is_chosen and not _ENTRY.fullmatch(entry.filename):
        raise SourceFormatError("is no plain name of a .csv or .zip")
    most, ratio = (MOST_ZIP_BYTES, 10) if entry.filename.lower().endswith(".zip") else (MOST_CSV_BYTES, MOST_RATIO)
    if entry.file_size > most or entry.file_size > ratio * max(entry.compress_size, 2**16):
        raise SourceFormatError(f"would unpack from {entry.compress_size:,} to {entry.file_size:,} bytes: refused")
