"""Upkeep: nothing a reader needs is ever taken, and nothing wrong stays unseen."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from cache_store import CATALOGUE, materialise, upkeep
from cache_store.build import publish_entries
from cache_store.due import due
from cache_store.manifest import period_window, publish_manifest
from cache_store.upkeep import GRACE, check, lost, rebuild_manifest, repair, sweep
from nem.lake import land
from tests.cache_store.worlds import WALL, warm
from tests.oracle import compare


def by_path(manifest):
    return {entry.path: entry for entry in manifest.entries}


def answers(world):
    return {name: world.fetch(name, world.span, resolution="1d", origin="cache").table for name in CATALOGUE}


def test_a_manifest_rebuilt_from_footers_is_the_one_that_was_published(tiny):
    published = tiny.store.manifest()
    (tiny.store.root / "manifest.json").unlink()
    rebuilt = rebuild_manifest(tiny.store, now=tiny.now)
    assert by_path(rebuilt) == by_path(published)
    assert rebuilt.generation > published.generation
    assert due(tiny.store, tiny.source, CATALOGUE["regional_price"], now=tiny.now) == []


def test_a_rebuilt_manifest_takes_the_newest_build_of_a_period(tiny):
    warm_again = tiny.now + timedelta(seconds=1)
    before = tiny.store.manifest()
    publish_entries(
        tiny.store, materialise(tiny.store, tiny.source, CATALOGUE["regional_price"], "2024-02-29", now=warm_again)
    )
    after = tiny.store.manifest()
    assert by_path(after) != by_path(before)
    (tiny.store.root / "manifest.json").write_text("{ torn")
    assert by_path(rebuild_manifest(tiny.store, now=warm_again)) == by_path(after)


def test_a_rebuild_leaves_out_torn_and_foreign_files(tiny):
    published = tiny.store.manifest()
    torn, moved = published.entries[0], published.entries[-1]
    (tiny.store.root / torn.path).write_bytes((tiny.store.root / torn.path).read_bytes()[:100])
    shutil.copy(tiny.store.root / moved.path, (tiny.store.root / moved.path).with_name("2024-03-01.stray.parquet"))
    rebuilt = rebuild_manifest(tiny.store, now=tiny.now)
    assert by_path(rebuilt).keys() == by_path(published).keys() - {torn.path}


def test_a_sweep_takes_what_no_manifest_names_and_only_past_its_grace(tiny):
    stray = tiny.store.root / tiny.store.manifest().entries[0].path.replace(".", ".stray", 1)
    stray.write_bytes(b"x" * 10)
    half_written = stray.with_name(".2024-02-29.abc.parquet.1234.tmp")
    half_written.write_bytes(b"x" * 5)
    wall = datetime.fromtimestamp(stray.stat().st_mtime, UTC)
    # An in-flight build has files that no manifest names yet.
    assert sweep(tiny.store, now=wall + GRACE).files == ()
    planned = sweep(tiny.store, now=WALL, dry_run=True)
    assert (len(planned.files), planned.byte_count) == (2, 15)
    assert stray.exists()
    assert sweep(tiny.store, now=WALL) == planned
    assert not stray.exists()
    assert not half_written.exists()
    assert len(answers(tiny)) == len(CATALOGUE)


@pytest.mark.usefixtures("nothing_kept")
def test_a_quota_takes_the_finest_grain_first_and_the_oldest_of_it(tiny):
    manifest = tiny.store.manifest()
    finest = [entry for entry in manifest.entries if entry.grain == CATALOGUE[entry.query].grains[0]]
    total = sum(entry.byte_count for entry in manifest.entries)
    swept = sweep(tiny.store, now=WALL, byte_quota=total - 1)
    oldest = min(
        finest, key=lambda entry: (CATALOGUE[entry.query].grains.index(entry.grain), entry.covers.end, entry.query)
    )
    assert swept.evicted == (oldest.path,)
    assert sum(entry.byte_count for entry in tiny.store.manifest().entries) <= total - 1


def test_a_quota_never_takes_what_is_recent(tiny):
    assert sweep(tiny.store, now=WALL, byte_quota=0).evicted == ()


@pytest.mark.usefixtures("nothing_kept")
def test_a_quota_never_takes_the_coarsest_grain(tiny):
    swept = sweep(tiny.store, now=WALL, byte_quota=0)
    left = tiny.store.manifest().entries
    assert {entry.grain for entry in left} == {"1d"}
    assert len(swept.evicted) == len(CATALOGUE) * 2 * 2 - 2  # two days of two grains, capacity_factor of one


# R9: a sweep takes its partitions out of what is published by then, not out of what it looked at.
@pytest.mark.usefixtures("nothing_kept")
def test_a_sweep_keeps_what_was_published_while_it_chose(tiny, monkeypatch):
    built = materialise(tiny.store, tiny.source, CATALOGUE["regional_price"], "2024-03-01", now=tiny.now)
    publish = upkeep.publish_manifest

    def publish_after_a_warming(*arguments, **options):
        publish_entries(tiny.store, built)
        return publish(*arguments, **options)

    monkeypatch.setattr(upkeep, "publish_manifest", publish_after_a_warming)
    assert sweep(tiny.store, now=WALL, byte_quota=0).evicted
    assert {e.build for e in built if e.grain == "1d"} <= {e.build for e in tiny.store.manifest().entries}


def as_of_a_former_definition(tiny, period):
    """Files of ``period`` under another fingerprint too, published; their bytes."""
    made = []
    for entry in tiny.store.manifest().entries:
        if entry.period == period:
            made.append(replace(entry, fingerprint="0" * 12, build=f"{entry.build}x"))
            path = tiny.store.root / made[-1].path
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tiny.store.root / entry.path, path)
    publish_manifest(tiny.store.root, lambda newest: [*newest.entries, *made])
    return {entry.path for entry in made}, sum(entry.byte_count for entry in made)


# R6, R9
@pytest.mark.usefixtures("nothing_kept")
def test_what_a_former_definition_left_goes_once_covered_and_counts_towards_no_quota(tiny):
    current = tiny.store.manifest().entries
    former, byte_count = as_of_a_former_definition(tiny, "2024-03-01")
    total = sum(entry.byte_count for entry in tiny.store.manifest().entries)
    swept = sweep(tiny.store, now=WALL, byte_quota=total - byte_count)
    assert set(swept.evicted) == former
    assert tiny.store.manifest().entries == current


@pytest.mark.usefixtures("nothing_kept")
def test_over_the_quota_what_nothing_can_read_goes_before_what_is_read(tiny):
    former, _ = as_of_a_former_definition(tiny, "2024-03-01")
    publish_manifest(
        tiny.store.root, lambda now: [e for e in now.entries if e.path in former or e.period == "2024-02-29"]
    )
    left = [entry for entry in tiny.store.manifest().entries if entry.path not in former]
    assert sweep(tiny.store, now=WALL).evicted == ()  # not covered: who goes back still reads it
    quota = sum(entry.byte_count for entry in left)
    assert set(sweep(tiny.store, now=WALL, byte_quota=quota).evicted) == former
    assert list(tiny.store.manifest().entries) == left


@pytest.mark.usefixtures("nothing_kept")
def test_what_was_evicted_is_answered_live_and_equal(tiny):
    sweep(tiny.store, now=WALL, byte_quota=0)
    answer = tiny.fetch("regional_price", tiny.span, resolution="5min")
    assert answer.receipt.origin == "live"
    compare(answer.table, tiny.expected("regional_price", tiny.span, "5min"))


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def swap(one, other):
    aside = one.with_suffix(".aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


@pytest.mark.parametrize("harm", ["missing", "resized", "altered", "swapped"])
def test_each_harm_is_found_answered_around_and_repaired(tiny, harm):
    entries = tiny.store.manifest().series("regional_price", CATALOGUE["regional_price"].fingerprint, "1d")
    path = tiny.store.root / entries[0].path
    match harm:
        case "missing":
            path.unlink()
        case "resized":
            path.write_bytes(path.read_bytes()[:-1])
        case "altered":
            flip_a_byte(path)
        case "swapped":
            # Same size, so that only the content tells.
            other = tiny.store.root / entries[1].path
            swap(path, other)
    found = check(tiny.store, tiny.source, now=tiny.now)
    assert path.relative_to(tiny.store.root).as_posix() in {finding.path for finding in found}
    answer = tiny.fetch("regional_price", tiny.span, resolution="1d")
    compare(answer.table, tiny.expected("regional_price", tiny.span, "1d"))
    # The finer grain stands in for it: no live query is needed.
    assert {segment.grain for segment in answer.receipt.segments} >= {"30min"}
    assert entries[0].build not in {segment.build for segment in answer.receipt.segments}
    assert ("regional_price", entries[0].period) in repair(tiny.store, tiny.source, found, now=tiny.now)
    assert warm(tiny.store, tiny.source, tiny.now) == []
    assert [f for f in check(tiny.store, tiny.source, now=tiny.now, sample=100) if f.problem != "unpublished"] == []
    assert tiny.fetch("regional_price", tiny.span, resolution="1d").receipt.origin == "cache"


def test_what_no_definition_reads_any_more_is_taken_out_and_not_missed(tiny):
    entry = tiny.store.manifest().series("regional_price", CATALOGUE["regional_price"].fingerprint, "1d")[0]
    former = replace(entry, query="former_query", build=f"{entry.build}x")
    (tiny.store.root / former.path).parent.mkdir(parents=True)
    shutil.copy(tiny.store.root / entry.path, tiny.store.root / former.path)
    publish_manifest(tiny.store.root, lambda newest: [*newest.entries, former])
    flip_a_byte(tiny.store.root / former.path)
    found = check(tiny.store, tiny.source, now=tiny.now)
    assert [finding.entry for finding in found] == [former]
    assert repair(tiny.store, tiny.source, found, now=tiny.now) == []
    assert former not in tiny.store.manifest().entries
    assert lost(found, []) == []


def test_a_reader_that_finds_a_break_has_the_next_warming_mend_it(tiny):
    entry = tiny.store.manifest().series("regional_price", CATALOGUE["regional_price"].fingerprint, "1d")[0]
    flip_a_byte(tiny.store.root / entry.path)
    tiny.fetch("regional_price", tiny.span, resolution="1d")
    assert warm(tiny.store, tiny.source, tiny.now) == [("regional_price", entry.period, "broken")]
    assert tiny.fetch("regional_price", tiny.span, resolution="1d").receipt.origin == "cache"
    marks = list((tiny.store.root / "broken").iterdir())
    assert sweep(tiny.store, now=WALL).files
    assert [mark.exists() for mark in marks] == [False]


def test_a_partition_that_disagrees_with_a_source_thought_unmoved_is_found(tiny):
    """A change that no version told of: only recomputing finds it."""
    land(
        tiny.source.root,
        "regional_price",
        pa.table({"settlement_date": [datetime(2024, 3, 1, 12)], "region_id": ["SA1"], "rrp": [-987.0]}),
    )
    moved = tiny.source.versions(CATALOGUE["regional_price"].sources, period_window("2024-03-01"))

    def as_if_seen(entry):
        return (
            replace(entry, sources=moved) if (entry.query, entry.period) == ("regional_price", "2024-03-01") else entry
        )

    publish_manifest(tiny.store.root, lambda newest: [as_if_seen(entry) for entry in newest.entries])
    found = check(tiny.store, tiny.source, now=tiny.now, sample=100)
    assert {(finding.problem, finding.entry.query, finding.entry.period) for finding in found} == {
        ("differs", "regional_price", "2024-03-01")
    }
    # R5: within one round of daily samples, whoever renewed what meanwhile.
    nights = -(-len(tiny.store.manifest().entries) // 5)
    by_night = [check(tiny.store, tiny.source, now=tiny.now + timedelta(days=n), sample=5) for n in range(nights)]
    assert {finding.path for night in by_night for finding in night} == {finding.path for finding in found}
    assert [] in by_night
