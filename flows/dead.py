"""Runs that ended without a word: ended for Prefect, too, and their slot given back.

Prefect counts a run against its deployment's limit from the moment a worker takes it on. Killed, or with the server's disk
full as it ended, it is counted for ever, and no schedule of that deployment would start a run again. The automation of
deploy/automations.yaml calls most of them crashed within two minutes, but is told by events, which get lost; whichever
deployment runs next asks the server what it has heard of each run, and puts right what is left.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx
from prefect import get_client, get_run_logger
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter, WorkPoolFilterName
from prefect.client.schemas.objects import FlowRun
from prefect.events.filters import EventFilter
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Cancelled, Crashed

from flows.local import POOL

# A minute from taken on to begun on a machine that is short of everything; then ten heartbeats. Prefect itself ends a run
# that could not renew its lease for as long.
PATIENCE = timedelta(minutes=5)
SERVER_AWAY = (PrefectHTTPStatusError, httpx.HTTPError)
_AT_WORK = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}})
_OURS = WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL]))  # others' runs may be silent for as long as they like


def end_dead_runs() -> None:
    """Have the server end the runs at work of which nothing was heard for ``PATIENCE``, and count those left anew.

    To be called in a flow run. A server that cannot do it now is a warning: the next run asks again.
    """
    logger = get_run_logger()
    try:
        with get_client(sync_client=True) as client:
            counted = client.read_deployments(work_pool_filter=_OURS)
            at_work = client.read_flow_runs(flow_run_filter=_AT_WORK, work_pool_filter=_OURS)
            dead = [run for run in at_work if _is_silent(client, run)]
            for run in dead:
                logger.warning(f"nothing was heard of {run.name} for {PATIENCE}: its process is taken for gone")
                end = Cancelled if run.state and run.state.is_cancelling() else Crashed
                client.set_flow_run_state(run.id, end(message=f"nothing was heard of it for {PATIENCE}"))
            alive = Counter(run.deployment_id for run in at_work if run not in dead)
            # Their slots were counted before the runs were: one that has begun meanwhile is among these. Where a run was
            # ended whose own slot had lapsed, the server took away another's.
            ended = {run.deployment_id for run in dead}
            for deployment in counted:
                limit, count = deployment.global_concurrency_limit, alive[deployment.id]
                if limit and (limit.active_slots > count or deployment.id in ended):
                    logger.warning(f"{deployment.name} counted {limit.active_slots} runs, and {count} are at work")
                    client.update_global_concurrency_limit(limit.name, GlobalConcurrencyLimitUpdate(active_slots=count))
    except SERVER_AWAY as error:
        logger.warning(f"whether runs are dead could not be asked: {error}")


def _is_silent(client: SyncPrefectClient, run: FlowRun) -> bool:
    """Whether ``run`` neither changed its state nor sent a heartbeat within ``PATIENCE``."""
    since = datetime.now(UTC) - PATIENCE
    if run.state is None or run.state.timestamp > since:
        return False
    beats = EventFilter.model_validate(
        {
            "event": {"name": ["prefect.flow-run.heartbeat"]},
            "resource": {"id": [f"prefect.flow-run.{run.id}"]},
            "occurred": {"since": since},
        }
    )
    return not client.read_events(beats, limit=1).events
