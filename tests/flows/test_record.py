"""What becomes of a run: written into the history, whatever ended it."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Timer
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.exceptions import TerminationSignal
from prefect.flow_engine import capture_sigterm

from cache_store import open_store
from cache_store.history import Run, read_runs
from flows import record as module
from flows.record import DATA_LAG, note, recorded
from flows.report import Summary

LONG = "SELECT count(*) FROM many, range(1000000) AS more(than) WHERE (range * than) % 7 = 3"  # hours
DEAF = 30.0  # seconds


def work_until_stopped(root: Path, threads: int) -> None:
    with capture_sigterm(), recorded(root, "warm"), open_store(root, threads=threads).connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE many AS FROM range(1000000)")
        timers = [Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)), Timer(DEAF, cursor.interrupt)]
        for timer in timers:
            timer.start()
        try:
            cursor.execute(LONG).fetchall()
        finally:
            timers[-1].cancel()


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_signal_that_comes_while_duckdb_works_ends_the_run_as_one(tmp_path: Path, threads: int) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # which gets it too, once Prefect is done with it
    try:
        with pytest.raises(TerminationSignal):
            work_until_stopped(tmp_path, threads)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert [run.outcome for run in read_runs(tmp_path)] == ["cancelled"]


@pytest.mark.parametrize(("minutes", "sent"), [(None, []), (30, []), (31, [1860.0])])
def test_data_that_stands_still_is_an_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: int | None, sent: list[float]
) -> None:
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(module, "emit_event", lambda **event: found.append(event))
    with recorded(tmp_path, "warm-cache") as record:
        record.lag = None if minutes is None else timedelta(minutes=minutes)
    assert [event["payload"]["lag_seconds"] for event in found] == sent
    assert [event["resource"]["prefect.resource.id"] for event in found] == ["nemwarm.store"] * len(sent)
    assert [event["event"] for event in found] == [DATA_LAG] * len(sent)


def test_another_error_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="something else"), recorded(tmp_path, "warm"):
        raise RuntimeError("something else")
    assert [(run.outcome, run.message) for run in read_runs(tmp_path)] == [("failed", "something else")]


@pytest.mark.parametrize(
    ("name", "schedule", "told"),
    [
        ("warm-recent", "hourly", ("warm-recent", "hourly")),
        ("warm-recent", None, ("warm-recent", "ad hoc")),
        (None, None, ("warm", "console")),
    ],
)
def test_a_run_of_a_deployment_ends_the_dead_before_it_and_goes_by_its_name_and_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | None, schedule: str | None, told: tuple[str, str]
) -> None:
    ended: list[str] = []
    creator = SimpleNamespace(display_value=schedule) if schedule else None
    context = SimpleNamespace(flow_run=SimpleNamespace(created_by=creator))
    monkeypatch.setattr(module, "end_dead_runs", lambda: ended.append("the dead"))
    monkeypatch.setattr(module, "deployment", SimpleNamespace(id=name, name=name))
    monkeypatch.setattr(module, "FlowRunContext", SimpleNamespace(get=lambda: context if name else None))
    with recorded(tmp_path, "warm"):
        assert ended == (["the dead"] if name else [])
    [run] = read_runs(tmp_path)
    assert (run.name, run.trigger) == told


def test_a_warming_counts_what_it_built_and_what_it_renewed() -> None:
    run, lag = Run("warm-cache", "console", datetime(2024, 3, 1, tzinfo=UTC)), timedelta(minutes=5)
    note(run, Summary(message="said", built=2, renewed=3, fresh=9, rows=7, bytes=8, seconds=1.0), lag)
    assert run == replace(run, message="said", periods=5, row_count=7, byte_count=8, lag=lag)
    assert (run.message, run.lag) == ("said", lag)
