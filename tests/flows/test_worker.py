"""A real server and worker: late runs collapse into one, and a run that is stopped leaves a store to go on from."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from prefect import flow
from prefect.events import emit_event

from cache_store import find_query, open_store
from cache_store.due import due
from cache_store.flight import take_turn
from cache_store.history import read_runs
from cache_store.upkeep import check
from flows.dead import end_dead_runs
from flows.local import POOL
from nem.source import open_source
from tests.prefect_here import ENDED, Here, descendants, kill, wait_until

pytestmark = pytest.mark.slow
HELD = ("generation_by_fuel", "regional_price", "capacity_factor")  # by the sample, in the order they are warmed
NOBODY = timedelta(0)


@pytest.fixture(scope="module")
def deployed(here: Here, sample_lake: Path) -> Iterator[str]:
    """The id of warm-recent, as prefect.yaml declares it but for its schedules, and a worker over the sample's lake."""
    here.prefect("work-pool", "create", POOL, "--type", "process")
    here.prefect("deploy", "--name", "warm-recent")
    deployment = here.deployments()["warm-recent"]
    here.call("PATCH", f"deployments/{deployment}", paused=True)
    here.settings |= {"NEMWARM_LAKE": str(sample_lake), "NEMWARM_STORE": str(here.home / "store")}
    here.start("worker")
    yield deployment
    here.stop("worker")


@pytest.fixture
def root(here: Here) -> Iterator[Path]:
    """The store of the worker's runs: nothing at first."""
    yield here.home / "store"
    shutil.rmtree(here.home / "store")


@pytest.fixture
def idle(here: Here, deployed: str) -> Iterator[None]:  # noqa: ARG001 - it makes the work pool
    with no_worker(here):
        yield


@contextmanager
def no_worker(here: Here) -> Iterator[None]:
    """As if there were none: the work pool gives out nothing."""
    here.call("PATCH", f"work_pools/{POOL}", is_paused=True)
    yield
    here.call("PATCH", f"work_pools/{POOL}", is_paused=False)


def ask(here: Here, deployment: str, days: int, late_by: timedelta = NOBODY) -> str:
    """Have a run of the last ``days`` made that should have begun so long ago; its id."""
    when = (datetime.now(UTC) - late_by).isoformat()
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": when}}
    made = here.call(
        "POST",
        f"deployments/{deployment}/create_flow_run",
        state=state,
        parameters={"days": days},
        idempotency_key=str(uuid4()),
    )
    return str(made["id"])


def state_of(here: Here, run: str) -> str:
    return str(here.call("GET", f"flow_runs/{run}")["state_name"])


def test_twelve_late_runs_cause_one_build(here: Here, deployed: str, root: Path) -> None:
    with no_worker(here):
        runs = [ask(here, deployed, 2, timedelta(minutes=5 * number)) for number in range(12, 0, -1)]
    wait_until(lambda: all(state_of(here, run).upper() in ENDED for run in runs), "twelve runs have ended")
    assert {state_of(here, run) for run in runs} <= {"Completed", "Cancelled"}
    built = [run.periods for run in read_runs(root)]
    assert sorted(built, reverse=True) == [2 * len(HELD)] + [0] * (len(built) - 1)
    assert open_store(root).manifest().generation == len(HELD)  # a publication per query, and no more


@pytest.mark.parametrize("how", ["cancelled", "terminated"])
def test_a_run_that_is_stopped_leaves_a_store_to_go_on_from(
    here: Here, deployed: str, sample_lake: Path, root: Path, how: str
) -> None:
    store = open_store(root)
    with take_turn(root, HELD[1]):
        run = ask(here, deployed, 2)
        # It has published the first query, and waits for its turn to build the second.
        wait_until(lambda: store.manifest().entries, "the first query is warm")
        if how == "cancelled":
            here.call("POST", f"flow_runs/{run}/set_state", state={"type": "CANCELLING"}, force=False)
        else:
            kill(descendants(here.processes["worker"].pid)[1:], signal.SIGTERM)
        wait_until(lambda: state_of(here, run).upper() in ENDED, "the run has ended")
    assert state_of(here, run) == {"cancelled": "Cancelled", "terminated": "Crashed"}[how]
    assert {entry.query for entry in store.manifest().entries} == {HELD[0]}
    source = open_source(sample_lake)
    now = source.now()
    assert now is not None
    assert check(store, source, now=now, sample=100) == []
    assert [one.outcome for one in read_runs(root)] == ["cancelled"]
    for query in HELD:
        take_turn(root, query, within=NOBODY).close()

    run = ask(here, deployed, 2)
    wait_until(lambda: state_of(here, run).upper() in ENDED, "the next run has ended")
    assert state_of(here, run) == "Completed"
    assert read_runs(root)[0].periods == 2 * (len(HELD) - 1)
    for name in HELD:
        query = find_query(name)
        assert len(due(store, source, query, now=now)) == 22 - 2


def begin(here: Here, deployment: str, *states: str) -> str:
    """A run of ``deployment`` that came to the last of ``states`` ten minutes ago; its id."""
    run = ask(here, deployment, 2)
    for state in states:
        here.call("POST", f"flow_runs/{run}/set_state", state={"type": state})
    earlier = "UPDATE flow_run_state SET timestamp = strftime('%Y-%m-%d %H:%M:%f000', timestamp, '-10 minutes') WHERE flow_run_id = ?"
    with closing(sqlite3.connect(here.home / "prefect" / "prefect.db", timeout=60)) as database, database:
        assert database.execute(earlier, [run]).rowcount
    return run


def beat(here: Here, runs: list[str]) -> None:
    """Have each sent a heartbeat a minute ago."""
    for run in runs:
        resource = {"prefect.resource.id": f"prefect.flow-run.{run}"}
        emit_event("prefect.flow-run.heartbeat", resource, occurred=datetime.now(UTC) - timedelta(minutes=1))
    asked = {
        "event": {"name": ["prefect.flow-run.heartbeat"]},
        "resource": {"id": [f"prefect.flow-run.{run}" for run in runs]},
    }
    wait_until(
        lambda: len(here.call("POST", "events/filter", filter=asked)["events"]) == len(runs), "heartbeats are kept"
    )


@pytest.mark.usefixtures("prefect", "idle")
def test_runs_that_ended_without_a_word_are_ended_and_hold_up_no_schedule(here: Here) -> None:
    flow_id = here.call("POST", "flows/", name="any")["id"]
    names = ("never began", "died", "died cancelling", "lives", "succeeded", "forgotten")
    made = {"flow_id": flow_id, "work_pool_name": POOL, "concurrency_limit": 1}
    ids = {name: here.call("POST", "deployments/", name=name, **made)["id"] for name in names}

    def slots() -> dict[str, int]:
        found = here.call("POST", "v2/concurrency_limits/filter", limit=99)
        counted = {one["name"].partition(":")[2]: one["active_slots"] for one in found}
        return {name: counted[ids[name]] for name in names}

    def count(name: str, number: int) -> None:
        here.call("PATCH", f"v2/concurrency_limits/deployment:{ids[name]}", active_slots=number)

    runs = {
        "never began": begin(here, ids["never began"], "PENDING"),
        "died": begin(here, ids["died"], "PENDING", "RUNNING"),
        "died cancelling": begin(here, ids["died cancelling"], "PENDING", "RUNNING", "CANCELLING"),
        "lives": begin(here, ids["lives"], "PENDING", "RUNNING"),
        "lapsed": begin(here, ids["succeeded"], "PENDING", "RUNNING"),
    }
    count("succeeded", 0)  # its lease ran out, so that the next could begin
    runs["succeeded"] = begin(here, ids["succeeded"], "PENDING", "RUNNING")
    count("forgotten", 1)  # the server, its disk full, forgot the run and not the slot
    beat(here, [runs["lives"], runs["succeeded"]])
    other = here.call("POST", "deployments/", name="somebody else's", flow_id=flow_id)["id"]
    runs["somebody else's"] = begin(here, other, "PENDING", "RUNNING")
    assert slots() == dict.fromkeys(names, 1)
    # On disk: in memory, a restart of the server is the end of those that live. Only one is there: we sent no version.
    assert [*(here.home / "prefect" / "concurrency_leases").glob("*-*.json")]
    flow(end_dead_runs)()
    assert {name: state_of(here, run) for name, run in runs.items()} == {
        "never began": "Crashed",
        "died": "Crashed",
        "died cancelling": "Cancelled",
        "lives": "Running",
        "lapsed": "Crashed",
        "succeeded": "Running",
        "somebody else's": "Running",
    }
    assert slots() == dict.fromkeys(names, 0) | {"lives": 1, "succeeded": 1}
    for name in ("lives", "succeeded", "somebody else's"):
        here.call("POST", f"flow_runs/{runs[name]}/set_state", state={"type": "COMPLETED"})
