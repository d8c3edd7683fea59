"""The audit: what was wrong is named and mended, and what could not be mended is what it fails with."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from cache_store import CATALOGUE, Store, open_store
from cache_store import upkeep as store_upkeep
from cache_store.due import due
from cache_store.upkeep import check, repair
from cache_store.warm import warm
from flows import upkeep
from flows.upkeep import audit, describe, lost
from nem.lake import SAMPLE_MARK
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


# A replayed past has a now that stands still; the sample must not.
def test_nightly_audits_of_a_replayed_past_recompute_every_partition(
    store: Store, tiny: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tiny.root / SAMPLE_MARK).touch()
    assert tiny.replay_now() == NOW
    monkeypatch.setenv("NEMWARM_LAKE", str(tiny.root))
    monkeypatch.setenv("NEMWARM_STORE", str(store.root))
    monkeypatch.setattr(upkeep, "get_run_logger", logging.getLogger)
    monkeypatch.setattr(upkeep, "create_table_artifact", lambda *_, **__: None)
    recomputed: list[str] = []
    monkeypatch.setattr(store_upkeep, "_differs", lambda *asked: recomputed.append(asked[2].path))
    partitions = [entry.path for entry in store.manifest().entries]
    for night in range(len(partitions) // 2):

        class Clock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:
                return datetime(2026, 11, 25, 3, tzinfo=tz) + timedelta(days=night)  # noqa: B023 - used before it moves

        monkeypatch.setattr(upkeep, "datetime", Clock)
        audit.fn(sample=2)
    assert sorted(recomputed) == sorted(partitions)


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
