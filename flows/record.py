"""What a flow run came to, written into the store's history whatever became of it."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from prefect.context import FlowRunContext
from prefect.events import emit_event
from prefect.exceptions import CancelledRun, TerminationSignal
from prefect.runtime import deployment, flow_run

from cache_store.errors import StoreUnavailableError
from cache_store.history import Run, record_run
from flows.dead import end_dead_runs
from flows.report import Summary

DATA_LAG = "nemwarm.data-lag"  # an event
LATE = timedelta(minutes=30)  # behind the market: it is sent
_log = logging.getLogger("prefect.flow_runs")


def note(run: Run, summary: Summary, lag: timedelta | None) -> None:
    """Fill ``run`` in with what a warming did, and how far behind the market that left the store."""
    run.message, run.lag = summary["message"], lag
    run.periods = summary["built"] + summary["renewed"]
    run.row_count, run.byte_count = summary["rows"], summary["bytes"]


@contextmanager
def recorded(root: Path, flow_name: str) -> Iterator[Run]:
    """Write the run that is under way into the history of the store at ``root``, its failure too.

    A history that cannot be written is a warning: the run has done its work, or has a cause of its own.
    """
    began = perf_counter()
    run = Run(deployment.name or flow_name, _trigger(), datetime.now(UTC), parameters=flow_run.parameters)
    if deployment.id:
        end_dead_runs()
    try:
        with _stopping():
            yield run
    except BaseException as error:
        is_stopped = isinstance(error, CancelledRun | TerminationSignal | KeyboardInterrupt)
        run.outcome = "cancelled" if is_stopped else "failed"
        run.message = str(error) or type(error).__name__
        raise
    finally:
        if run.lag is not None and run.lag > LATE:
            # What deploy/automations.yaml counts: runs that succeed on data that stands still.
            lag = {"run": run.name, "lag_seconds": run.lag.total_seconds()}
            emit_event(event=DATA_LAG, resource={"prefect.resource.id": "nemwarm.store"}, payload=lag)
        run.seconds = round(perf_counter() - began, 3)
        try:
            record_run(root, run)
        except StoreUnavailableError as error:
            _log.warning("this run is missing from the history: %s", error)


@contextmanager
def _stopping() -> Iterator[None]:
    """A signal that comes while DuckDB works arrives as its RuntimeError: here it is a signal again, and ends the run."""
    try:
        yield
    except RuntimeError as error:
        if str(error) != "Query interrupted":
            raise
        raise TerminationSignal(signal.SIGTERM) from error


def _trigger() -> str:
    """The schedule that started this run, as prefect.yaml names it; else whoever did."""
    context = FlowRunContext.get()
    creator = context.flow_run.created_by if context and context.flow_run else None
    return (creator.display_value if creator else None) or ("ad hoc" if deployment.name else "console")
