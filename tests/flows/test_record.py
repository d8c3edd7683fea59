"""What becomes of a run: written into the history, whatever ended it."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import duckdb
import pytest
from prefect.exceptions import TerminationSignal
from prefect.flow_engine import capture_sigterm

from cache_store.history import read_runs
from flows.record import recorded

LONG = "SELECT count(*) FROM range(100000) a, range(200000) b WHERE (a.range * b.range) % 7 = 3"


def work_until_stopped(store: Path, later: threading.Timer) -> None:
    # With more threads another may hold the work, and a signal waits for the query's end.
    with capture_sigterm(), recorded(store, "warm"), duckdb.connect(config={"threads": 1}) as con:
        later.start()
        con.execute(LONG).fetchall()


def test_a_signal_that_comes_while_duckdb_works_ends_the_run_as_one(tmp_path: Path) -> None:
    later = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM))
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # which gets it too, once Prefect is done with it
    try:
        with pytest.raises(TerminationSignal):
            work_until_stopped(tmp_path, later)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert [run.outcome for run in read_runs(tmp_path)] == ["cancelled"]


def test_another_error_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="something else"), recorded(tmp_path, "warm"):
        raise RuntimeError("something else")
    assert [(run.outcome, run.message) for run in read_runs(tmp_path)] == [("failed", "something else")]
