"""The audit: what was wrong is named and mended, and what could not be mended is what it fails with."""

from __future__ import annotations

import logging
import shutil
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from cache_store import Store, open_store
from cache_store import upkeep as store_upkeep
from cache_store.history import read_runs
from cache_store.upkeep import Swept, check, lost, repair
from flows import report, upkeep
from flows.upkeep import AuditFailedError, audit, describe, sweep
from nem.lake import SAMPLE_MARK
from nem.source import Source
from nem.windows import utc_time
from tests.tiny_nem import WINDOW

NOW = utc_time(WINDOW.end)


@pytest.fixture
def store(two_warm_days: Path, tmp_path: Path) -> Store:
    """Warm: every query, both days."""
    return open_store(shutil.copytree(two_warm_days / "store", tmp_path / "store"))


@pytest.fixture
def installed(store: Store, tiny: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flows are over this store and lake, and run without Prefect, as ``.fn``."""
    monkeypatch.setenv("NEMWARM_LAKE", str(tiny.root))
    monkeypatch.setenv("NEMWARM_STORE", str(store.root))
    for module in (upkeep, report):
        monkeypatch.setattr(module, "get_run_logger", logging.getLogger)
    monkeypatch.setattr(report, "create_table_artifact", lambda *_, **__: None)


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
@pytest.mark.usefixtures("installed")
def test_nightly_audits_of_a_replayed_past_recompute_every_partition(
    store: Store, tiny: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tiny.root / SAMPLE_MARK).touch()
    assert tiny.now() == NOW
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


def test_a_month_stands_in_for_its_days(store: Store, tiny: Source) -> None:
    flip(store, "regional_price")
    wrong = [finding for finding in check(store, tiny, now=NOW) if finding.entry]
    assert lost(wrong, [("regional_price", "2024-02")]) == []
    assert lost(wrong, [("capacity_factor", "2024-02")]) == ["regional_price 2024-02-29"]


@pytest.mark.usefixtures("installed")
def test_an_audit_that_could_not_mend_fails_and_names_what_is_left(store: Store, tiny: Source) -> None:
    flip(store, "regional_price")
    (tiny.root / "regional_price" / "2024-02-29.parquet").write_bytes(b"no Parquet")
    with pytest.raises(AuditFailedError, match="not rebuilt: regional_price 2024-02-29; run `nemwarm check --repair`"):
        audit.fn()
    [run] = read_runs(store.root)
    assert (run.name, run.outcome) == ("audit", "failed")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("quota_mb", "byte_quota"), [(None, None), (0, 0), (3, 3_000_000)])
def test_a_quota_is_in_millions_of_bytes_and_without_one_there_is_none(
    store: Store, monkeypatch: pytest.MonkeyPatch, quota_mb: int | None, byte_quota: int | None
) -> None:
    asked: list[int | None] = []
    went = Swept(("a file",), ("two", "partitions"), 1_500_000)
    monkeypatch.setattr(upkeep, "sweep_store", lambda *_, byte_quota, **__: asked.append(byte_quota) or went)
    assert sweep.fn(quota_mb) == "2 partitions evicted, 1 files deleted, 1.5 MB"
    assert asked == [byte_quota]
    assert [(run.name, run.byte_count) for run in read_runs(store.root)] == [("sweep", 1_500_000)]
