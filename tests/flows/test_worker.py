"""A real server and worker: late runs collapse into one, and a run that is stopped leaves a store to go on from."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from prefect import flow

from cache_store import find_query, open_store
from cache_store.due import due
from cache_store.flight import take_turn, wait_for_turn
from cache_store.history import read_runs
from cache_store.upkeep import check
from flows.dead import end_dead_runs
from nem.source import open_source
from tests.prefect_here import ENDED, Here, descendants, kill, wait_until

pytestmark = pytest.mark.slow
HELD = ("generation_by_fuel", "regional_price", "capacity_factor")  # by the sample, in the order they are warmed
NOBODY = timedelta(0)


@pytest.fixture(scope="module")
def deployed(here: Here) -> str:
    """The id of warm-recent, as prefect.yaml declares it."""
    here.prefect("deploy", "--name", "warm-recent")
    return here.deployments()["warm-recent"]


@pytest.fixture
def worker(here: Here, sample: Path, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """What starts a worker over the sample's lake and an empty store."""
    here.settings |= {"NEMWARM_LAKE": str(sample), "NEMWARM_STORE": str(tmp_path)}
    yield lambda: here.start("worker")
    here.stop("worker")


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


def test_twelve_late_runs_cause_one_build(
    here: Here, deployed: str, worker: Callable[[], None], tmp_path: Path
) -> None:
    runs = [ask(here, deployed, 2, timedelta(minutes=5 * number)) for number in range(12, 0, -1)]
    worker()
    wait_until(lambda: all(state_of(here, run).upper() in ENDED for run in runs), "twelve runs have ended")
    assert {state_of(here, run) for run in runs} <= {"Completed", "Cancelled"}
    built = [run.periods for run in read_runs(tmp_path)]
    assert sorted(built, reverse=True) == [2 * len(HELD)] + [0] * (len(built) - 1)
    assert open_store(tmp_path).manifest().generation == len(HELD)  # a publication per query, and no more


@pytest.mark.parametrize("how", ["cancelled", "terminated"])
def test_a_run_that_is_stopped_leaves_a_store_to_go_on_from(
    here: Here, deployed: str, worker: Callable[[], None], sample: Path, tmp_path: Path, how: str
) -> None:
    store = open_store(tmp_path)
    with wait_for_turn(tmp_path, HELD[1]):
        worker()
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
    source = open_source(sample)
    now = source.replay_now()
    assert now is not None
    assert check(store, source, now=now, sample=100) == []
    assert [one.outcome for one in read_runs(tmp_path)] == ["cancelled"]
    for query in HELD:
        turn = take_turn(tmp_path, query, wait=NOBODY)
        assert turn is not None
        turn.__exit__()

    run = ask(here, deployed, 2)
    wait_until(lambda: state_of(here, run).upper() in ENDED, "the next run has ended")
    assert state_of(here, run) == "Completed"
    assert read_runs(tmp_path)[0].periods == 2 * (len(HELD) - 1)
    for name in HELD:
        query = find_query(name)
        assert len(due(store, source, query, now=now)) == 22 - 2


def counted(here: Here) -> dict[str, int]:
    """The slots that are taken, by deployment."""
    return {
        one["name"].partition(":")[2]: one["active_slots"]
        for one in here.call("POST", "v2/concurrency_limits/filter", limit=99)
    }


@pytest.mark.usefixtures("prefect")
def test_a_run_whose_process_died_before_it_began_holds_up_no_schedule(here: Here, deployed: str) -> None:
    here.prefect("deploy", "--name", "sweep")
    sweep = here.deployments()["sweep"]
    run = ask(here, deployed, 2)
    # A worker takes it on, and is killed; of another the server, its disk full, forgot the run and not the slot.
    here.call("POST", f"flow_runs/{run}/set_state", state={"type": "PENDING", "name": "Submitting"})
    here.call("PATCH", f"v2/concurrency_limits/deployment:{sweep}", active_slots=1)
    assert counted(here) == {deployed: 1, sweep: 1}
    flow(end_dead_runs)()
    assert counted(here) == {deployed: 1, sweep: 0}
    flow(end_dead_runs)(patience=timedelta(0))
    assert counted(here) == {deployed: 0, sweep: 0}
    assert state_of(here, run) == "Crashed"
