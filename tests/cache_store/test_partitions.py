"""Partition files: what they hold, what their footers say, and that nobody sees half of one."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta

import duckdb
import pyarrow.parquet as pq
import pytest

from cache_store import CATALOGUE, fetch, materialise, open_store
from cache_store.build import publish_entries
from cache_store.due import due
from cache_store.errors import StoreUnavailableError
from cache_store.freshness import TTL_OPEN, TTL_RECENT, TTL_SETTLED
from cache_store.manifest import Entry, period_window, read_manifest
from nem.source import open_source
from nem.windows import Window, utc_time
from tests.cache_store.worlds import World, arriving, only
from tests.oracle import compare
from tests.tiny_nem import WINDOW

QUERIES = list(CATALOGUE)
SECOND = datetime(2024, 3, 1)


def path_of(world: World, entry: Entry):
    return world.store.root / entry.path


def footer(world: World, entry: Entry) -> dict[str, str]:
    """Read with nothing but DuckDB, as anyone may."""
    rows = duckdb.sql(
        "SELECT decode(key), decode(value) FROM parquet_kv_metadata($path)", params={"path": str(path_of(world, entry))}
    ).fetchall()
    return dict(rows)


def find(world: World, query: str, grain: str, period: str) -> Entry:
    (entry,) = [e for e in world.store.manifest().entries if (e.query, e.grain, e.period) == (query, grain, period)]
    return entry


# What files hold


@pytest.mark.parametrize("query", QUERIES)
def test_partitions_hold_the_declared_columns_and_types(tiny_world, query):
    declared = {name: column.type for name, column in CATALOGUE[query].columns.items()}
    for entry in tiny_world.store.manifest().entries:
        if entry.query == query:
            held = duckdb.sql(
                "DESCRIBE FROM read_parquet($p)", params={"p": str(path_of(tiny_world, entry))}
            ).fetchall()
            assert {name: kind for name, kind, *_ in held} == declared
            assert [name for name, *_ in held] == list(declared)


def test_partitions_hold_rows_sorted_by_their_key(tiny_world):
    for entry in tiny_world.store.manifest().entries:
        keys = CATALOGUE[entry.query].keys
        rows = pq.read_table(path_of(tiny_world, entry)).select(list(keys)).to_pylist()
        found = [tuple(row.values()) for row in rows]
        assert found == sorted(found)
        assert len(set(found)) == len(found) == entry.row_count


# T3
def test_partitions_hold_the_labels_of_their_period(tiny_world):
    for entry in tiny_world.store.manifest().entries:
        labels = pq.read_table(path_of(tiny_world, entry))["settlement_date"].to_pylist()
        window = period_window(entry.period)
        assert entry.covers == window
        assert window.start < min(labels)
        assert max(labels) == window.end


# C6
def test_the_footer_says_what_the_manifest_says(tiny_world):
    rows = json.loads((tiny_world.store.root / "manifest.json").read_text())["entries"]
    assert len(rows) == 2 * sum(len(query.grains) for query in CATALOGUE.values())
    for entry, row in zip(tiny_world.store.manifest().entries, rows, strict=True):
        said = footer(tiny_world, entry)
        for name in set(row) - {
            "byte_count",
            "checksum",
            "build_seconds",
        }:  # a footer cannot know those of its own file
            value = row[name] if isinstance(row[name], str) else json.dumps(row[name])
            assert said[name] == value, name
        assert said["attribution"] == "Source: AEMO"


# C2
@pytest.mark.parametrize(
    ("until", "age", "ttl"),
    [
        (SECOND + timedelta(hours=10), timedelta(0), TTL_OPEN),
        (WINDOW.end, timedelta(0), TTL_RECENT),
        (WINDOW.end, timedelta(days=35) - timedelta(microseconds=1), TTL_RECENT),
        (WINDOW.end, timedelta(days=35), TTL_SETTLED),
    ],
)
def test_footer_expiry_is_the_declared_ttl(tiny, until, age, ttl):
    now = utc_time(WINDOW.end) + age
    (entry, *_) = materialise(
        tiny.store, arriving(tiny.source, until), CATALOGUE["regional_price"], "2024-03-01", now=now
    )
    said = footer(tiny, entry)
    since = utc_time(until) + timedelta(minutes=5) if ttl is TTL_OPEN else now
    expires_at = since + ttl.fresh
    assert said["ttl_seconds"] == str(int(ttl.fresh.total_seconds()))
    assert datetime.fromisoformat(said["expires_at"]) == expires_at
    assert datetime.fromisoformat(said["swr_until"]) == expires_at + ttl.stale_while_revalidate
    assert datetime.fromisoformat(said["sie_until"]) == expires_at + ttl.stale_if_error
    assert datetime.fromisoformat(said["built_at"]) == datetime.fromisoformat(said["verified_at"]) == now


def test_a_ttl_outlives_the_schedule_and_grows_with_age():
    assert timedelta(minutes=10) <= TTL_OPEN.fresh < TTL_RECENT.fresh < TTL_SETTLED.fresh
    for ttl in (TTL_OPEN, TTL_RECENT, TTL_SETTLED):
        assert ttl.stale_while_revalidate <= ttl.stale_if_error


@pytest.mark.parametrize("threads", [1, 3])
def test_a_store_takes_the_cores_it_is_given(tmp_path, threads):
    with open_store(tmp_path, threads=threads).connection.cursor() as cursor:
        assert cursor.execute("SELECT current_setting('threads')").fetchone() == (threads,)


def test_materialising_again_makes_other_files_and_leaves_the_old(tiny):
    old = tiny.store.manifest().entries
    new = [e for q in CATALOGUE.values() for e in materialise(tiny.store, tiny.source, q, "2024-03-01", now=tiny.now)]
    assert not {entry.build for entry in old} & {entry.build for entry in new}
    assert all(tiny.store.is_whole(entry) for entry in (*old, *new))
    assert tiny.store.manifest().entries == old  # nothing is live before it is published


def test_a_period_the_source_does_not_hold_makes_no_partition(tiny):
    before = set(tiny.store.root.rglob("*.parquet"))
    assert materialise(tiny.store, tiny.source, CATALOGUE["regional_price"], "2024-03-02", now=tiny.now) == []
    assert set(tiny.store.root.rglob("*.parquet")) == before


# Publishing


def test_a_month_replaces_its_days_and_no_other(tiny):
    month = materialise(tiny.store, tiny.source, CATALOGUE["regional_price"], "2024-02", now=tiny.now)
    publish_entries(tiny.store, month)
    held = {(e.query, e.period) for e in tiny.store.manifest().entries}
    assert {period for query, period in held if query == "regional_price"} == {"2024-02", "2024-03-01"}
    assert {period for query, period in held if query == "capacity_factor"} == {"2024-02-29", "2024-03-01"}


def test_a_generation_is_one_more_than_the_last(tiny):
    before = tiny.store.manifest().generation
    assert publish_entries(tiny.store, []).generation == before + 1
    assert tiny.store.manifest().generation == before + 1


def test_files_nobody_published_are_not_read(tiny):
    entry = find(tiny, "regional_price", "1d", "2024-03-01")
    stray = path_of(tiny, entry).with_name("2024-03-01.strayfile.parquet")
    stray.write_bytes(b"garbage")
    answer = tiny.fetch("regional_price", tiny.span, resolution="1d", origin="cache")
    compare(answer.table, tiny.expected("regional_price", tiny.span, "1d"))


PUBLISH = """
import sys
from dataclasses import replace
from cache_store import open_store
from cache_store.build import publish_entries
store, name = open_store(sys.argv[1]), sys.argv[2]
entry = store.manifest().entries[0]
print("ready", flush=True)
sys.stdin.readline()
for n in range(25):
    publish_entries(store, [replace(entry, query=name, build=f"{n}", period=f"2024-03-{n + 1:02}")])
"""


# R1: compare-and-swap, or the last writer would take the other's entries away.
def test_writers_at_once_lose_no_entry(tiny):
    names = ["one", "two", "three"]
    before = tiny.store.manifest()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", PUBLISH, str(tiny.store.root), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    after = tiny.store.manifest()
    assert after.generation == before.generation + 75
    assert {(e.query, e.period) for e in after.entries if e.query in names} == {
        (name, f"2024-03-{n + 1:02}") for name in names for n in range(25)
    }
    assert [e for e in after.entries if e.query not in names] == list(before.entries)


# Breaking them

DAMAGES = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "emptied": lambda path: path.write_bytes(b""),
    "deleted": lambda path: path.unlink(),
    "garbage of the same size": lambda path: path.write_bytes(b"x" * path.stat().st_size),
}


@pytest.mark.parametrize("was_read", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_day_broken_at_every_grain_is_live_and_called_corrupt(tiny, damage, was_read):
    tiny = replace(tiny, store=open_store(tiny.store.root, memory_bytes=0))
    if was_read:  # and found sound, by this process
        for grain in CATALOGUE["regional_price"].grains:
            tiny.fetch("regional_price", tiny.span, resolution=grain)
    for grain in CATALOGUE["regional_price"].grains:
        DAMAGES[damage](path_of(tiny, find(tiny, "regional_price", grain, "2024-03-01")))
    answer = tiny.fetch("regional_price", tiny.span, resolution="1d")
    compare(answer.table, tiny.expected("regional_price", tiny.span, "1d"))
    assert [(segment.origin, segment.reason) for segment in answer.receipt.segments] == [
        ("cache", "fresh"),
        ("live", "corrupt"),
    ]


# R12: checksums at first open.
def test_a_flipped_byte_answers_right(tiny):
    path = path_of(tiny, find(tiny, "regional_price", "1d", "2024-03-01"))
    content = path.read_bytes()
    right = tiny.expected("regional_price", tiny.span, "1d")
    for at in range(8, len(content) - 8, len(content) // 12):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
        fresh = open_store(tiny.store.root)
        compare(fetch(fresh, tiny.source, "regional_price", tiny.span, now=tiny.now, resolution="1d").table, right)


def test_a_checksum_is_remembered_as_long_as_its_build_is_named(tiny):
    entry = find(tiny, "regional_price", "1d", "2024-03-01")
    assert tiny.store.is_sound(entry)
    path_of(tiny, entry).write_bytes(b"")
    assert tiny.store.is_sound(entry)
    only(tiny.store, [one for one in tiny.store.manifest().entries if one != entry])
    tiny.store.manifest()
    assert not tiny.store.is_sound(entry)


@pytest.mark.parametrize("damage", ["truncated", "emptied", "deleted"])
def test_a_partition_of_another_size_is_due_as_broken(tiny, damage):
    DAMAGES[damage](path_of(tiny, find(tiny, "regional_price", "30min", "2024-03-01")))
    found = [task for query in CATALOGUE.values() for task in due(tiny.store, tiny.source, query, now=tiny.now)]
    assert [(task.query, task.period, task.reason) for task in found] == [("regional_price", "2024-03-01", "broken")]
    publish_entries(
        tiny.store,
        materialise(tiny.store, tiny.source, CATALOGUE["regional_price"], "2024-03-01", now=tiny.now),
    )
    answer = tiny.fetch("regional_price", tiny.span, resolution="30min")
    assert answer.receipt.origin == "cache"
    compare(answer.table, tiny.expected("regional_price", tiny.span, "30min"))


def test_a_broken_partition_without_a_source_is_a_typed_error(tiny):
    for grain in CATALOGUE["regional_price"].grains:
        path_of(tiny, find(tiny, "regional_price", grain, "2024-03-01")).unlink()
    nowhere = open_source(tiny.source.root / "nowhere")
    with pytest.raises(Exception, match=r"regional_price over .*2024-03-01T00:00.*corrupt") as caught:
        fetch(tiny.store, nowhere, "regional_price", tiny.span, now=tiny.now, resolution="1d")
    assert type(caught.value).__name__ == "NoAnswerError"


# The root


def test_a_root_that_cannot_be_written_is_unavailable_and_loses_nothing(tiny, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    store = open_store(tmp_path / "file" / "store")
    with pytest.raises(StoreUnavailableError, match="cannot be written"):
        materialise(store, tiny.source, CATALOGUE["regional_price"], "2024-03-01", now=tiny.now)
    with pytest.raises(StoreUnavailableError, match="cannot be written"):
        publish_entries(store, list(tiny.store.manifest().entries))
    assert fetch(store, tiny.source, "regional_price", tiny.span, now=tiny.now).receipt.origin == "live"
    assert (tmp_path / "file").read_text() == "not a folder"


def test_a_manifest_that_cannot_be_replaced_stays_published(tiny):
    before = tiny.store.manifest()
    (tiny.store.root / ".lock").unlink()
    (tiny.store.root / ".lock").mkdir()  # no writer can take it
    with pytest.raises(StoreUnavailableError, match="cannot be written"):
        publish_entries(tiny.store, [])
    assert read_manifest(tiny.store.root) == before


# C9: reading writes nothing.
def test_reading_writes_nothing(tiny):
    before = {path: path.stat().st_mtime_ns for path in tiny.store.root.rglob("*")}
    for query in QUERIES:
        for origin in ("auto", "live"):
            tiny.fetch(query, Window(WINDOW.start, WINDOW.end + timedelta(days=1)), origin=origin)
    assert {path: path.stat().st_mtime_ns for path in tiny.store.root.rglob("*")} == before


@pytest.mark.parametrize("content", ["", "{", "null", "[]", '{"version": 1}', "\x00"])
def test_a_manifest_that_is_none_is_unavailable_and_says_what_to_do(tiny, content):
    (tiny.store.root / "manifest.json").write_text(content)
    with pytest.raises(StoreUnavailableError, match=r"manifest"):
        tiny.fetch("regional_price", tiny.span)
    with pytest.raises(StoreUnavailableError, match=r"manifest"):
        publish_entries(tiny.store, [])
    assert (tiny.store.root / "manifest.json").read_text() == content


def test_a_store_that_does_not_exist_yet_is_empty(tiny, tmp_path):
    store = open_store(tmp_path / "none")
    assert store.manifest().entries == ()
    assert fetch(store, tiny.source, "regional_price", tiny.span, now=tiny.now).receipt.origin == "live"
    assert not (tmp_path / "none").exists()
