"""What an installation left alone has come to: a promise is a function that yields what is wrong with it."""

from __future__ import annotations

import math
import sqlite3
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pandas as pd

from cache_store import CATALOGUE, Store, open_store
from cache_store.due import due
from cache_store.errors import CacheStoreError
from cache_store.status import furthest_behind
from cache_store.status import status as status_of
from cache_store.upkeep import check
from cache_store.warm import warm
from flows.local import EVENT_DAYS, LOG_BYTES, RUN_DAYS
from nem import open_source
from nem.errors import NemError
from nem.ingest import ingest_place
from tests.prefect_here import ENDED, Here, wait_until

MOST_SHOWN = 10  # problems of one promise
HISTORY_BYTES = 600_000_000  # of Prefect's database, in the long run
RUNS_A_DAY = 340  # by prefect.yaml
ROUNDS = 7  # of runs with nothing to do


def is_missed(promise: str, problems: Iterator[str]) -> bool:
    """Print whether it holds. What cannot be found out is missed, and the others are still looked at."""
    found: list[str] = []
    try:
        found.extend(problems)
    except (AssertionError, OSError, httpx.HTTPError, NemError, CacheStoreError) as error:
        found.append(f"{type(error).__name__}: {error}")
    print(f"{'MISSED' if found else 'holds'}: {promise}", *found[:MOST_SHOWN], sep="\n  ", flush=True)
    if len(found) > MOST_SHOWN:
        print(f"  and {len(found) - MOST_SHOWN} more")
    return bool(found)


def catch_up(here: Here, published: Path) -> Iterator[str]:
    """Let the schedule catch up."""
    newest = max(path.name.split("_")[2] for path in published.rglob("PUBLIC_DISPATCHIS*.zip"))
    try:
        wait_until(lambda: data_through(here) == newest, "the store catches up", 600)
    except AssertionError:
        yield f"it goes to {data_through(here) or 'nowhere'}, the newest file to {newest}"


def stop_schedules(here: Here) -> Iterator[str]:
    """Let nothing begin any more, and name the runs that do not end."""
    for deployment in here.deployments().values():
        here.call("POST", f"deployments/{deployment}/pause_deployment")
    left = ["PENDING", "RUNNING", "CANCELLING", "SCHEDULED"]
    try:
        wait_until(lambda: not here.runs(state={"type": {"any_": left}}), "every run ends", 420)
    except AssertionError:
        for run in here.runs(state={"type": {"any_": left}}):
            yield f"{run['name']} is {run['state_name']} since {run['state']['timestamp']}"


def data_through(here: Here) -> str:
    series = status_of(open_store(here.home / "store"), now=datetime.now(UTC))
    least = [one.data_through for one in series if one.data_through]
    return f"{min(least):%Y%m%d%H%M}" if len(least) == len(series) else ""


def compare(here: Here, published: Path, scratch: Path) -> Iterator[str]:
    """What of the store is not what a build from all that was published gives, from scratch."""
    now = datetime.now(UTC)
    ingest_place(scratch / "lake", published, now=now)
    source, fresh = open_source(scratch / "lake"), open_store(scratch / "store")
    for query in CATALOGUE.values():
        assert not warm(fresh, source, query, due(fresh, source, query, now=now), now=now).failed
    store = open_store(here.home / "store")
    theirs, ours = rows(fresh), rows(store)
    print(f"{len(ours)} partitions, {sum(map(len, ours.values())):,} rows")
    yield from (f"only in one of the stores: {key}" for key in theirs.keys() ^ ours.keys())
    for key in theirs.keys() & ours.keys():
        try:
            pd.testing.assert_frame_equal(ours[key], theirs[key], rtol=1e-9, atol=1e-9)
        except AssertionError as error:
            yield f"{key} differs: {error}"


def rows(store: Store) -> dict[tuple[str, str, str], pd.DataFrame]:
    return {
        (entry.query, entry.grain, entry.period): pd.read_parquet(store.root / entry.path)
        for entry in store.manifest().entries
    }


def verify(here: Here) -> Iterator[str]:
    store, now = open_store(here.home / "store"), datetime.now(UTC)
    for finding in check(store, open_source(here.home / "lake"), now=now, sample=10**6):
        if finding.problem != "unpublished":  # what a kill left: sweep deletes it after an hour
            yield f"{finding.path}: {finding.problem}"
    if furthest_behind(status_of(store, now=now)) is None:
        yield "the store does not say how far behind it is"


def measure_sizes(here: Here) -> Iterator[str]:
    """Print what folders take; name the log that is longer than it may be, and the database that grows too fast."""
    for folder in ("run", "prefect", "lake", "store"):
        files = [(path.stat().st_size, path.name) for path in (here.home / folder).rglob("*") if path.is_file()]
        most, largest = max(files)
        total = sum(size for size, _ in files)
        print(f"{folder}: {len(files)} files, {total / 1e6:.1f} MB; {largest} {most / 1e6:.1f} MB")
    for log in (here.home / "run").iterdir():
        if log.stat().st_size > LOG_BYTES:
            yield f"{log.name} takes {log.stat().st_size / 1e6:.1f} MB"
    yield from _measure_history(here)


def _measure_history(here: Here) -> Iterator[str]:
    runs = len(here.runs())
    with closing(sqlite3.connect(here.home / "prefect" / "prefect.db")) as database:
        parts = database.execute("SELECT name LIKE '%event%', sum(pgsize) FROM dbstat GROUP BY 1").fetchall()
    events, rest = (sum(size for is_event, size in parts if is_event == kind) for kind in (1, 0))
    kept = RUNS_A_DAY * (EVENT_DAYS * events + RUN_DAYS * rest) / runs
    each = f"{runs} runs, each {events / runs / 1e3:.0f} kB of events and {rest / runs / 1e3:.0f} of all else"
    print(f"prefect.db: {each}; {kept / 1e6:.0f} MB of what is kept")
    if kept > HISTORY_BYTES:
        yield f"Prefect's database grows to {kept / 1e6:.0f} MB"


def count_runs(here: Here, schedules: Iterable[str], ticks: int) -> Iterator[str]:
    """Print what became of the runs of each schedule; half of the ticks at least have to have been executed."""
    names = {identity: name for name, identity in here.deployments().items()}
    ended = [run for run in here.runs() if run["auto_scheduled"] and run["state_type"] in ENDED]
    for name in schedules:
        runs = [run for run in ended if names.get(run["deployment_id"]) == name]
        executed = sum(run["state_type"] != "CANCELLED" for run in runs)  # those found one at work
        took = sorted(run["total_run_time"] for run in runs if run["state_type"] == "COMPLETED") or [math.nan]
        print(f"{name}: {executed} executed of {len(runs)}, {statistics.median(took):.1f} s, {took[-1]:.1f} at most")
        others = Counter(
            (run["state_name"], run["state"]["message"]) for run in runs if run["state_name"] != "Completed"
        )
        for (state, message), count in others.most_common():
            print(f"  {count} x {state}: {message}")
        if name == "ingest-current" and executed < ticks / 2:
            yield f"{executed} of {ticks}: the machine was too busy for what it was to show"


def overhead(here: Here) -> None:
    """What a run takes that finds nothing to do, beside a flow that does nothing, in turn: s, from taken on to ended."""
    took: dict[str, list[float]] = {"empty": [], "ingest-current": [], "warm-recent": []}
    deployments = here.deployments()
    for _ in range(ROUNDS):
        for name, seconds in took.items():
            run = here.call("POST", f"deployments/{deployments[name]}/create_flow_run", name="idle")["id"]
            wait_until(lambda run=run: here.call("GET", f"flow_runs/{run}")["state_type"] in ENDED, f"{name} ends")
            states = here.call("GET", f"flow_run_states/?flow_run_id={run}")
            times = {state["type"]: datetime.fromisoformat(state["timestamp"]) for state in states[::-1]}
            assert "COMPLETED" in times, states
            seconds.append((times["COMPLETED"] - times["PENDING"]).total_seconds())
    least = statistics.median(took["empty"])
    for name, seconds in took.items():
        median = statistics.median(seconds)
        print(
            f"nothing to do: {name} {median:.1f} s ({min(seconds):.1f} to {max(seconds):.1f}), {median / least:.2f} x empty"
        )
