"""Runs that ended without a word: called crashed, and their slot given back.

Prefect counts a run against its deployment's limit from the moment a worker takes it on. Killed before it began, or with
the server's disk full as it ended, it is counted for ever, and no schedule of that deployment would start a run again.
Whichever deployment runs next puts that right. A run that had begun is told by its heartbeat: see deploy/automations.yaml.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
from prefect import get_client, get_run_logger
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.filters import FlowRunFilter
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Crashed

PATIENCE = timedelta(minutes=5)  # from taken on to begun: seconds, a minute on a machine that is short of everything
_AT_WORK = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}})


def end_dead_runs(patience: timedelta = PATIENCE) -> None:
    """Have the server call crashed what was taken on and has not begun within ``patience``, and count its runs anew.

    To be called in a flow run. A server that cannot do it now is a warning: the next run asks again.
    """
    logger = get_run_logger()
    try:
        with get_client(sync_client=True) as client:
            counted = client.read_deployments()
            at_work = client.read_flow_runs(flow_run_filter=_AT_WORK)
            for run in at_work:
                state = run.state
                if state and state.is_pending() and datetime.now(UTC) - state.timestamp > patience:
                    logger.warning(
                        f"{run.name} was taken on at {state.timestamp} and never began: it is called crashed"
                    )
                    client.set_flow_run_state(run.id, Crashed(message="it never began; the process is gone"))
            # Their slots were counted before the runs were: one that has begun meanwhile is among these.
            busy = {run.deployment_id for run in at_work}
            for deployment in counted:
                limit = deployment.global_concurrency_limit
                if limit and limit.active_slots and deployment.id not in busy:
                    logger.warning(f"{deployment.name} counts a run, and none is at work: it counts none now")
                    client.update_global_concurrency_limit(limit.name, GlobalConcurrencyLimitUpdate(active_slots=0))
    except (PrefectHTTPStatusError, httpx.HTTPError) as error:
        logger.warning(f"whether runs are dead could not be asked: {error}")
