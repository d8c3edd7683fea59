"""What runs did stays on record, bounded, and tells how the installation is doing with nothing else up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cache_store import fetch, find_query, history, open_store
from cache_store.due import due
from cache_store.errors import StoreUnavailableError
from cache_store.history import Run, newest_of_each, read_runs, record_run
from cache_store.status import overview
from cache_store.usage import Tally
from cache_store.warm import warm
from nem.source import open_source
from nem.windows import utc_time
from tests.tiny_nem import LEAP_DAY, WINDOW

NOW = utc_time(WINDOW.end)
TICK = Run(
    name="warm-recent",
    trigger="hourly",
    began_at=datetime(2024, 3, 1, tzinfo=UTC),
    seconds=1.5,
    outcome="done",
    message="built 4",
    parameters={"days": 36, "queries": None},
    periods=4,
    row_count=100,
    byte_count=2_000,
    lag=timedelta(minutes=5),
)


def test_a_run_is_read_as_it_was_recorded(tmp_path: Path) -> None:
    later = replace(TICK, name="Audit / nightly", began_at=TICK.began_at + timedelta(hours=1), lag=None)
    level = replace(TICK, began_at=TICK.began_at - timedelta(hours=1), lag=timedelta(0))  # with the market
    for run in (TICK, later, level):
        record_run(tmp_path, run)
    assert read_runs(tmp_path) == [later, TICK, level]


def test_a_history_keeps_its_newest_runs_and_its_newest_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (history.KEEP_RUNS, history.KEEP_FAILURES) == (300, 20)
    kept, kept_failures = 12, 4  # each is a file written anew
    monkeypatch.setattr(history, "KEEP_RUNS", kept)
    monkeypatch.setattr(history, "KEEP_FAILURES", kept_failures)

    def run(minute: int) -> Run:
        outcome = "failed" if minute < 2 * kept_failures else "done"
        return replace(TICK, began_at=TICK.began_at + timedelta(minutes=minute), outcome=outcome)

    count = 2 * kept_failures + kept + 5
    for minute in range(count):
        record_run(tmp_path, run(minute))
    newest = [run(minute) for minute in range(count - kept, count)]
    failures = [run(minute) for minute in range(kept_failures, 2 * kept_failures)]
    assert read_runs(tmp_path) == [*newest[::-1], *failures[::-1]]
    assert [one.began_at for one in newest_of_each(read_runs(tmp_path), "failed")] == [failures[-1].began_at]


def test_what_is_no_history_is_passed_over_and_a_root_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    record_run(tmp_path, TICK)
    for name, text in (("torn", "[{"), ("other", '{"a": 1}'), ("foreign", '[{"name": "x"}]')):
        (tmp_path / "history" / f"{name}.json").write_text(text)
    assert read_runs(tmp_path) == [TICK]
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailableError, match="history"):
        record_run(tmp_path / "file", TICK)


def test_seconds_saved_are_what_the_source_was_spared() -> None:
    # Two askings of four went live and took 3 s each; the other two took 0.5 s together.
    assert Tally(count=4, live_count=2, live_seconds=6.0, seconds=6.5).seconds_saved == 2 * 3.0 - 0.5
    assert Tally(count=4, seconds=1.0).seconds_saved == 0.0


def test_an_overview_needs_nothing_but_the_store(two_days: Path, tmp_path: Path) -> None:
    source, store = open_source(two_days), open_store(tmp_path / "store", read_through=True)
    assert (overview(store, now=NOW).lag, overview(store, now=NOW).hit_ratio) == (None, None)
    price, fuel = find_query("regional_price"), find_query("generation_by_fuel")
    warm(store, source, fuel, due(store, source, fuel, now=NOW), now=NOW)
    warm(store, source, price, due(store, source, price, now=NOW, window=LEAP_DAY), now=NOW)
    for window in (LEAP_DAY, WINDOW):
        fetch(store, source, "generation_by_fuel", window, now=NOW)
    fetch(store, source, "capacity_factor", LEAP_DAY, now=NOW, resolution="5min")  # stored at no such grain: live
    store.usage.flush(store.root)
    for minute in range(20):
        record_run(store.root, replace(TICK, began_at=NOW + timedelta(hours=minute), lag=timedelta(minutes=minute)))
    failed = replace(TICK, outcome="failed", lag=None)
    record_run(store.root, failed)
    seen = overview(open_store(store.root), now=NOW + timedelta(minutes=5))
    assert (seen.lag, seen.lag_p50, seen.lag_p95) == (
        timedelta(days=1, minutes=5),
        timedelta(minutes=10),
        timedelta(minutes=19),
    )
    assert (seen.request_count, seen.hit_ratio) == (3, pytest.approx(2 / 3))
    assert ([run.lag for run in seen.last_runs], seen.last_failures) == ([timedelta(minutes=19)], [failed])
