"""The audit: what was wrong is named and mended, and what could not be mended is what it fails with."""

from __future__ import annotations

from pathlib import Path

import pytest

from cache_store import CATALOGUE, Store, open_store
from cache_store.due import due
from cache_store.upkeep import check, repair
from cache_store.warm import warm
from flows.upkeep import describe, lost
from nem.source import Source
from nem.windows import utc_time
from tests.tiny_nem import WINDOW, land_raw, raw_tables

NOW = utc_time(WINDOW.end)


@pytest.fixture
def tiny(tmp_path: Path) -> Source:
    return land_raw(tmp_path / "lake", raw_tables())


@pytest.fixture
def store(tmp_path: Path, tiny: Source) -> Store:
    """Warm: every query, both days."""
    store = open_store(tmp_path / "store")
    for query in CATALOGUE.values():
        warm(store, tiny, query, due(store, tiny, query, now=NOW), now=NOW)
    return store


def flip(store: Store, query: str) -> None:
    """One byte of the oldest daily partition of ``query``."""
    entry = next(one for one in store.manifest().entries if one.query == query and one.grain == "1d")
    content = bytearray((store.root / entry.path).read_bytes())
    content[len(content) // 2] ^= 1
    (store.root / entry.path).write_bytes(content)


def test_a_sound_store_is_said_to_be(store: Store, tiny: Source) -> None:
    assert check(store, tiny, now=NOW, sample=100) == []
    count = len(store.manifest().entries)
    assert describe([], [], count) == f"{count} partitions verified, none wrong"


def test_what_was_rebuilt_is_not_lost(store: Store, tiny: Source) -> None:
    flip(store, "regional_price")
    wrong = [finding for finding in check(store, tiny, now=NOW) if finding.entry]
    rebuilt = repair(store, tiny, wrong, now=NOW)
    assert rebuilt == [("regional_price", "2024-02-29")]
    assert lost(wrong, rebuilt) == []
    count = len(store.manifest().entries)
    assert describe(wrong, rebuilt, count) == f"1 partitions wrong (1 altered), 1 rebuilt, {count} published"


def test_what_the_source_cannot_give_again_is_lost_and_named(store: Store, tiny: Source) -> None:
    flip(store, "regional_price")
    (tiny.root / "regional_price" / "2024-02-29.parquet").write_bytes(b"no Parquet")
    wrong = [finding for finding in check(store, tiny, now=NOW) if finding.entry]
    assert lost(wrong, repair(store, tiny, wrong, now=NOW)) == ["regional_price 2024-02-29"]


def test_a_month_stands_in_for_its_days(store: Store, tiny: Source) -> None:
    flip(store, "regional_price")
    wrong = [finding for finding in check(store, tiny, now=NOW) if finding.entry]
    assert lost(wrong, [("regional_price", "2024-02")]) == []
    assert lost(wrong, [("capacity_factor", "2024-02")]) == ["regional_price 2024-02-29"]
