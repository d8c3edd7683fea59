"""Full disks and roots that can only be read: what is asked is answered, what fails is said, nothing is left."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from cache_store import materialise, open_store
from cache_store.build import publish_entries
from cache_store.errors import StoreUnavailableError
from tests.cache_store.two_prices import NOW, QUERY, RAGGED, ask, price_of, rewarm, temporaries

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


# A full disk


@contextlib.contextmanager
def full_disk(room):
    """No file can be longer than ``room`` bytes. Python ignores SIGXFSZ, so a write fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


ROOMS = (0, 100, 4_500)  # nothing fits, a header, all but the finest partition


@pytest.mark.parametrize("room", ROOMS)
def test_a_partition_that_does_not_fit_is_a_typed_error_and_leaves_nothing(warmed, lakes, room):
    files = set(warmed.root.rglob("*.tmp")) | set(warmed.root.rglob("*.parquet"))
    with full_disk(room), pytest.raises(StoreUnavailableError, match="cannot be written"):
        materialise(warmed, lakes[20.0], QUERY, "2024-03-01", now=NOW)
    left = (set(warmed.root.rglob("*.tmp")) | set(warmed.root.rglob("*.parquet"))) - files
    assert temporaries(warmed.root) == []
    assert all(path.stat().st_size <= room for path in left)  # whole ones of other grains, for the sweep


@pytest.mark.parametrize("room", [0, 100, 2_000])
def test_a_manifest_that_does_not_fit_leaves_the_published_one(warmed, lakes, room):
    before = (warmed.root / "manifest.json").read_bytes()
    entries = materialise(warmed, lakes[20.0], QUERY, "2024-03-01", now=NOW)
    with full_disk(room), pytest.raises(StoreUnavailableError, match="cannot be written"):
        publish_entries(warmed, entries)
    assert (warmed.root / "manifest.json").read_bytes() == before
    assert temporaries(warmed.root) == []


def test_a_full_disk_answers_from_the_cache_and_live(warmed, lakes):
    with full_disk(0):
        assert price_of(ask(warmed, lakes[20.0], origin="cache")) == 10.0
        assert price_of(ask(warmed, lakes[20.0], origin="live")) == 20.0


def test_a_warming_on_a_full_disk_says_what_failed_and_the_next_one_completes(warmed, lakes):
    with full_disk(0):
        warmed_none = rewarm(warmed, lakes[20.0])
    assert set(warmed_none.failed) == {"2024-02-29", "2024-03-01"}
    assert {type(cause) for cause in warmed_none.failed.values()} == {StoreUnavailableError}
    assert rewarm(warmed, lakes[20.0]).failed == {}
    assert price_of(ask(warmed, lakes[20.0], origin="cache")) == 20.0


def test_reading_through_to_a_full_disk_answers_and_warns(lakes, tmp_path, caplog):
    store = open_store(tmp_path / "cold", read_through=True)
    with full_disk(0):
        answer = ask(store, lakes[20.0])
        store.background.shutdown(wait=True)
    assert (answer.receipt.origin, price_of(answer)) == ("live", 20.0)
    assert "was not materialised" in caplog.text
    assert store.manifest().entries == ()
    assert temporaries(store.root) == []


# A root that can only be read

# Gives up root's right to write where permissions forbid it, then answers.
READ_ONLY = """
import ctypes, os, sys
from datetime import datetime
from pathlib import Path
if os.geteuid() == 0:
    version_3 = (ctypes.c_uint32 * 2)(0x20080522, 0)
    assert ctypes.CDLL(None).capset(version_3, (ctypes.c_uint32 * 6)()) == 0
from cache_store import fetch, open_store
from nem.source import open_source
from nem.windows import Window

root, lake, now, start, end = sys.argv[1:]
now, window = datetime.fromisoformat(now), Window(datetime.fromisoformat(start), datetime.fromisoformat(end))
try:
    (Path(root) / "probe").touch()
except PermissionError:
    print("read-only")
store, source = open_store(root, read_through=True, memory_bytes=0), open_source(lake)
for query, origin, later in (
    ("regional_price", "cache", 0), ("regional_price", "auto", 0), ("regional_price", "live", 0),
    ("regional_price", "auto", 20), ("generation_by_fuel", "auto", 0),
):
    at = now.replace(day=now.day + later)
    answer = fetch(store, source, query, window, now=at, resolution="1d", origin=origin)
    print(query, origin, later, answer.receipt.origin, len(answer.table) > 0)
store.background.shutdown(wait=True)
"""


@pytest.fixture
def read_only(warmed):
    """The store's folders and files without anybody's right to write."""
    modes = {path: path.stat().st_mode for path in (warmed.root, *warmed.root.rglob("*"))}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    yield warmed
    for path, mode in modes.items():
        path.chmod(mode)


def answered_read_only(store, source):
    arguments = [store.root, source.root, NOW.isoformat(), RAGGED.start.isoformat(), RAGGED.end.isoformat()]
    command = [sys.executable, "-c", READ_ONLY, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=60, check=False)
    return done.stdout.splitlines(), done.stderr, done.returncode


# C9
def test_a_read_only_root_is_answered_from_the_cache_and_live_and_left_as_it_is(read_only, lakes):
    before = {path: path.stat().st_mtime_ns for path in read_only.root.rglob("*")}
    said, errors, status = answered_read_only(read_only, lakes[20.0])
    assert said == [
        "read-only",
        "regional_price cache 0 cache True",
        "regional_price auto 0 cache True",
        "regional_price live 0 live True",
        "regional_price auto 20 live True",
        "generation_by_fuel auto 0 live True",
    ]
    assert (errors, status) == ("", 0)
    assert {path: path.stat().st_mtime_ns for path in read_only.root.rglob("*")} == before


def test_a_break_in_a_read_only_root_is_answered_around(read_only, lakes):
    (entry,) = [e for e in read_only.manifest().entries if (e.grain, e.period) == ("1d", "2024-02-29")]
    path = read_only.root / entry.path
    path.chmod(0o600)
    path.write_bytes(b"x" * entry.byte_count)
    said, errors, status = answered_read_only(read_only, lakes[20.0])
    assert said[1] == "regional_price cache 0 cache True"
    assert (errors, status) == ("", 0)
