"""A lake that several machines share: what its head in object storage names, and how a landing changes that.

On each machine the lake's folder stays what it was: a file per table and day, replaced under its name. In object storage
every version of a file is an object of its own, and ``lake.json``, the head, says which of them each file is now. Readers
bring files here as they need them. A landing takes the newest head, writes apart, puts its versions there and then the head;
where another machine's head came first, it does so again on top of that. Of a lake of its own each function is the plain thing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from pathlib import Path

from nem.errors import SourceFormatError, SourceUnavailableError
from nem.files import locked, publish, publish_bytes, stamp_of
from nem.remote import Remote, each, last_named, mark_copy, open_to_attach, remote_of

HEAD = "lake.json"
_VERSION = 1
_LOCK = ".head.lock"  # of whoever replaces the head or a file of it here; held shortly
_APART = ".landing"  # where a landing writes what is not published yet
_FILE = re.compile(r"(?:\w+/)?[\w-]+\.(?:parquet|json)")
_STAMP = re.compile(r"[0-9a-f]+-[0-9a-f]+")
_OBJECT = re.compile(rf"(?:\w+/)?[\w-]+\.{_STAMP.pattern}\.(?:parquet|json)")


@dataclass(frozen=True, slots=True)
class Head:
    """The stamp of each file of a lake, by name; and when objects that it named once were last named."""

    files: dict[str, str]
    former: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Draft:
    """A lake while it is changed: what is written goes to ``out``, and is read from there by who goes on."""

    root: Path
    out: Path

    def held(self, *names: str) -> list[Path]:
        """The files of these names, as far as there are any."""
        return [
            path
            for name in names
            for path in ([self.out / name] if (self.out / name).exists() else current(self.root, [name]))
        ]


def stamp(root: Path, name: str, shared: Mapping[str, str] | None) -> str:
    """Changes when a file of the lake, of ``stamps`` if it is shared, is written anew; empty where there is none.

    Raises:
        SourceUnavailableError: that cannot be told.
    """
    return stamp_of(root / name) if shared is None else shared.get(name, "")


def stamps(root: Path) -> Mapping[str, str] | None:
    """The stamp of each file of a shared lake, on whatever machine it lies; None of a lake of its own.

    Raises:
        SourceUnavailableError: it cannot be told what it is a copy of.
    """
    if (remote := _remote(root)) is None:
        return None
    remote.follow(root, HEAD, _LOCK)
    return _head(root).files


def current(root: Path, names: Iterable[str]) -> list[Path]:
    """Where the lake's files of these names are, as far as there are any; brought here, and the newest known.

    Raises:
        SourceUnavailableError: one cannot be brought.
    """
    wanted = list(names)
    if (remote := _remote(root)) is None:
        return [path for name in wanted if stamp_of(path := root / name)]
    files = _head(root).files
    try:
        each(
            partial(_bring, root, remote),
            [name for name in wanted if name in files and not _is(root / name, files[name])],
        )
    except OSError as error:
        said = str(error).splitlines()[0]
        raise SourceUnavailableError(f"the lake at {root} lacks a file and cannot have it: {said}") from error
    return [root / name for name in wanted if name in files]


def commit(root: Path, write: Callable[[Draft], Iterable[date] | None], *, without: Iterable[str] = ()) -> list[date]:
    """Have ``write`` change the lake, in this host's turn to land; then drop ``without``. Return the days it changed.

    Where others share the lake, all of it becomes theirs at once or, if another machine was quicker, is made again.

    Raises:
        OSError: object storage cannot be reached; what was published stands.
    """
    gone, changed = set(without), set[date]()
    if (remote := _remote(root)) is None:
        changed |= set(write(Draft(root, root)) or ())
        for name in gone:
            (root / name).unlink(missing_ok=True)
        return sorted(changed)
    out, is_published = root / _APART, False
    while not is_published:
        shutil.rmtree(out, ignore_errors=True)
        with locked(root / _LOCK):
            remote.pull(root, HEAD)
            head, seen = _head(root), remote.seen
        changed |= set(write(Draft(root, out)) or ())
        is_published = _publish(root, remote, head, seen, out, gone)
    shutil.rmtree(out, ignore_errors=True)
    return sorted(changed)


def attach_lake(root: Path, url: str, names: Iterable[str]) -> int:
    """Make the lake at ``root``, which holds ``names``, a copy of the one at ``url``; how many files that has.

    What is held here is published there, unless there is a lake already: then only a folder that holds nothing else joins.

    Raises:
        OSError: ``url`` cannot be written or ignores conditions, or both hold a lake.
    """
    remote, is_copy = open_to_attach(root, url)
    with locked(root / _LOCK):
        here = {} if is_copy else {name: stamp_of(root / name) for name in names}
        there, _ = remote.read_newer(HEAD, None)
        head = _parse(there) if there else Head(here, {})
        text, lacks = there or _text(head), not there and bool(here)
        if lacks:
            remote.upload({_object(name, at): root / name for name, at in here.items()})
        if not here.items() <= head.files.items() or (lacks and not remote.swap(HEAD, text, None)):
            raise OSError(f"both {root} and {url} hold a lake; empty one of them first")
        publish_bytes(root / HEAD, text)
        mark_copy(root, remote)
        return len(head.files)


def sweep_lake(root: Path, *, now: datetime, dry_run: bool = False) -> dict[str, int]:
    """Delete the objects of a shared lake that its head did not name within an hour; their addresses and sizes.

    Raises:
        SourceUnavailableError: object storage cannot be reached.
    """
    if (remote := _remote(root)) is None:
        return {}
    try:
        with locked(root / _LOCK):
            remote.pull(root, HEAD)
        head = _head(root)
        in_use = last_named(head.former, _objects(head.files), now).keys()
        unnamed = remote.unnamed(_OBJECT.fullmatch, in_use, now)
        remote.delete([] if dry_run else unnamed)
    except OSError as error:
        raise SourceUnavailableError(f"the lake at {root} cannot be swept: {error}") from error
    return {f"{remote.url}/{name}": byte_count for name, byte_count in unnamed.items()}


def _remote(root: Path) -> Remote | None:
    try:
        return remote_of(root)
    except OSError as error:
        raise SourceUnavailableError(str(error)) from error


def _bring(root: Path, remote: Remote, name: str) -> None:
    """Bring a file here. It only ever moves forward: whoever knew an older head brings what the newer one says."""
    while (wanted := _head(root).files.get(name)) and not _is(root / name, wanted):
        try:
            content = remote.get(_object(name, wanted))
        except FileNotFoundError:  # swept since: a newer head names another
            with locked(root / _LOCK):
                remote.pull(root, HEAD)
            if _head(root).files.get(name) == wanted:
                raise
            continue
        with locked(root / _LOCK):
            if _head(root).files.get(name) == wanted:
                _place(root / name, content, wanted)


def _place(path: Path, content: bytes, wanted: str) -> None:
    size, at = _facts(wanted)
    if len(content) != size:
        raise OSError(f"{path.name} came as {len(content)} bytes, and has {size}")

    def write(temporary: Path) -> None:
        temporary.write_bytes(content)
        os.utime(temporary, ns=(at, at))

    publish(path, write)
    if not _is(path, wanted):
        raise OSError(f"{path.parent} does not keep the times of files to the microsecond: take a folder that does")


def _is(path: Path, wanted: str) -> bool:
    """Whether the file is of that stamp, as far as the file system keeps times."""
    size, at = _facts(wanted)
    try:
        stat = path.stat()
    except FileNotFoundError:
        return False
    return (stat.st_size, stat.st_mtime_ns // 1000) == (size, at // 1000)


def _facts(wanted: str) -> tuple[int, int]:
    size, _, at = wanted.partition("-")
    return int(size, 16), int(at, 16)


def _publish(root: Path, remote: Remote, head: Head, seen: str | None, out: Path, gone: set[str]) -> bool:
    """Put what was written to ``out`` there, then a head that names it, in place of the one ``seen``; False if that moved."""
    written = {
        str(path.relative_to(out)): path for path in out.rglob("*.*") if _FILE.fullmatch(str(path.relative_to(out)))
    }
    following = head.files | {name: stamp_of(path) for name, path in written.items()}
    files = {name: at for name, at in following.items() if name not in gone}
    if seen and files == head.files:
        return True
    replaced = _objects(head.files) - _objects(files)
    lacking = files.keys() & written.keys() if seen else files.keys()
    remote.upload({_object(name, files[name]): written.get(name, root / name) for name in lacking})
    text = _text(Head(files, last_named(head.former, replaced, datetime.now(UTC))))
    with locked(root / _LOCK):
        tag = remote.swap(HEAD, text, seen)
        if tag is None:
            return False
        remote.seen = tag
        publish_bytes(root / HEAD, text)
        for name, path in written.items():
            (root / name).parent.mkdir(exist_ok=True)
            path.replace(root / name)
        for name in gone:
            (root / name).unlink(missing_ok=True)
    return True


def _object(name: str, at: str) -> str:
    """The object that is that version of a file."""
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{at}.{suffix}"


def _objects(files: Mapping[str, str]) -> set[str]:
    return {_object(name, at) for name, at in files.items()}


def _head(root: Path) -> Head:
    """The head as it is here."""
    path = root / HEAD
    try:
        stat = path.stat()
        return _read(path, (stat.st_ino, stat.st_mtime_ns, stat.st_size))
    except FileNotFoundError:
        return Head({}, {})


@lru_cache(maxsize=8)
def _read(path: Path, _identity: tuple[int, ...]) -> Head:
    return _parse(path.read_bytes())


def _parse(content: bytes) -> Head:
    try:
        document = json.loads(content)
        files, version = document["files"], document["version"]
        if version != _VERSION:
            raise SourceFormatError(f"the shared lake has format {version}, this version reads {_VERSION}")
        if odd := [name for name, at in files.items() if not (_FILE.fullmatch(name) and _STAMP.fullmatch(at))]:
            raise SourceFormatError(f"{HEAD} of the shared lake names {odd[0]!r}, which is no file of a lake")
        return Head(files, {name: datetime.fromisoformat(at) for name, at in document["former"].items()})
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise SourceFormatError(f"{HEAD} of the shared lake cannot be read: {error}") from error


def _text(head: Head) -> bytes:
    former = {name: at.isoformat() for name, at in head.former.items()}
    document = {"version": _VERSION, "files": dict(sorted(head.files.items())), "former": former}
    return json.dumps(document, separators=(",", ":")).encode()
