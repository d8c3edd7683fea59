"""Files of a lake or store: published so that no reader sees half of one, listed so that no failure looks like none."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import TextIOWrapper
from pathlib import Path

from nem.errors import SourceUnavailableError

_POLL_SECONDS = 0.02


def list_folder(path: Path) -> list[os.DirEntry[str]]:
    """What is in the folder at ``path``, in no order; nothing where there is no folder.

    Raises:
        SourceUnavailableError: it cannot be listed.
    """
    try:
        # Not Path.glob: its path objects took four fifths of the time, and a live query lists each table it reads twice.
        with os.scandir(path) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise SourceUnavailableError(f"{path} cannot be listed: {error.strerror}") from error


def stamp_of(path: Path) -> str:
    """Changes when ``path`` is written anew; empty where there is none.

    Raises:
        SourceUnavailableError: that cannot be told.
    """
    try:
        stat = path.stat()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SourceUnavailableError(f"{path} cannot be read: {error.strerror}") from error
    return f"{stat.st_size:x}-{stat.st_mtime_ns:x}"


def publish(path: Path, write: Callable[[Path], object]) -> None:
    """Have ``write`` fill a temporary neighbour of ``path``, then rename it into place, both durably.

    A killed writer leaves the neighbour (``.*.tmp``) and whatever stood at ``path`` before.

    Raises:
        OSError: the folder cannot be written, or the disk is full; ``path`` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        write(temporary)
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def publish_bytes(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` likewise."""
    publish(path, lambda temporary: temporary.write_bytes(content))


@contextmanager
def locked(path: Path, *, within: timedelta | None = None) -> Iterator[None]:
    """One holder of ``path`` at a time on this host. The kernel lets go when the holder dies.

    Raises:
        BlockingIOError: another has it, and has not let go ``within`` that time; without, we wait however long.
        OSError: it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        _lock(handle, within)
        yield


def _lock(handle: TextIOWrapper, within: timedelta | None) -> None:
    if within is None:
        return fcntl.flock(handle, fcntl.LOCK_EX)
    give_up_at = time.monotonic() + within.total_seconds()
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up_at:
                raise
        time.sleep(_POLL_SECONDS)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
