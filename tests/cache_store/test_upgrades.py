"""A store that a former version wrote: read where its definitions still hold, asked live and rebuilt where not.

`tests/data/former_store` is one: the two days worked by hand, warmed by the version before three of the four queries
were given more columns. Nothing of it was edited.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cache_store import CATALOGUE, open_store
from cache_store.build import publish_entries
from cache_store.due import due
from cache_store.errors import NoAnswerError, StoreVersionError
from cache_store.upkeep import check, rebuild_manifest, sweep
from tests.cache_store.worlds import WALL, warm
from tests.oracle import compare

FORMER = Path(__file__).parents[1] / "data" / "former_store"
# What it holds of queries that are still defined so; one whose definition changes leaves this, and all below goes by it.
SAME = {"interconnector_flow"}
CHANGED = {folder.name for folder in FORMER.iterdir() if folder.is_dir()} - SAME
NEW = set(CATALOGUE) - CHANGED - SAME


@pytest.fixture
def former(tiny_world, tmp_path):
    """Today's source, and the store as the former version left it."""
    shutil.copytree(FORMER, tmp_path / "store")
    return replace(tiny_world, store=open_store(tmp_path / "store", memory_bytes=0))


def fingerprints(store):
    return {(entry.query, entry.fingerprint) for entry in store.manifest().entries}


def answer(world, name, **asked):
    return world.fetch(name, world.span, resolution="1d", **asked)


def assert_right(world, name, **asked):
    found = answer(world, name, **asked)
    compare(found.table, world.expected(name, world.span, "1d"))
    return found.receipt


def test_the_former_store_is_of_other_definitions(former):
    current = {query.name: query.fingerprint for query in CATALOGUE.values()}
    assert {name for name, fingerprint in fingerprints(former.store) if current[name] != fingerprint} == CHANGED
    assert set(CATALOGUE) >= CHANGED | SAME


@pytest.mark.parametrize("name", sorted(CHANGED | SAME))
def test_what_changed_is_never_read_and_what_did_not_still_is(former, name):
    segments = assert_right(former, name).segments
    told = {(segment.origin, segment.reason) for segment in segments}
    assert told == ({("live", "fingerprint_mismatch")} if name in CHANGED else {("cache", "fresh")})
    if name in CHANGED:
        with pytest.raises(NoAnswerError, match="nemwarm warm"):
            answer(former, name, origin="cache")


def test_an_upgrade_rebuilds_what_changed_and_a_sweep_takes_what_it_replaced(former):
    left = fingerprints(former.store)
    for name, reason in {**dict.fromkeys(CHANGED, "definition_changed"), **dict.fromkeys(NEW, "missing")}.items():
        found = due(former.store, former.source, CATALOGUE[name], now=former.now)
        assert {task.reason for task in found} == {reason}
    warm(former.store, former.source, former.now)
    # Until swept, the version before finds its own again.
    assert left <= fingerprints(former.store)
    for name in CATALOGUE:
        assert assert_right(former, name, origin="cache").origin == "cache"
    sweep(former.store, now=WALL)
    assert fingerprints(former.store) == {(query.name, query.fingerprint) for query in CATALOGUE.values()}
    assert check(former.store, None, now=WALL) == []


def test_a_manifest_rebuilt_from_former_footers_is_the_former_one(former):
    published = former.store.manifest()
    (former.store.root / "manifest.json").unlink()
    rebuilt = rebuild_manifest(former.store, now=former.now)
    assert set(map(repr, rebuilt.entries)) == set(map(repr, published.entries))


@pytest.mark.parametrize("version", [0, 2, None])
def test_a_store_in_another_format_is_neither_read_nor_written(former, version):
    path = former.store.root / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": version}))
    before = path.read_bytes()
    with pytest.raises(StoreVersionError, match="this version reads 1"):
        answer(former, "interconnector_flow")
    with pytest.raises(StoreVersionError):
        publish_entries(former.store, [])
    with pytest.raises(StoreVersionError):
        sweep(former.store, now=WALL)
    assert path.read_bytes() == before
    assert len(list(former.store.root.rglob("*.parquet"))) == len(list(FORMER.rglob("*.parquet")))
