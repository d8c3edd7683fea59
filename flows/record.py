"""What a flow run came to, written into the store's history whatever became of it."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from prefect.context import FlowRunContext
from prefect.events import emit_event
from prefect.exceptions import CancelledRun, TerminationSignal
from prefect.runtime import deployment, flow_run

from cache_store.errors import StoreUnavailableError
from cache_store.history import Outcome, Run, record_run
from flows.dead import end_dead_runs
from flows.report import Summary

DATA_LAG = "nemwarm.data-lag"  # an event
LATE = timedelta(minutes=30)  # behind the market: it is sent
_log = logging.getLogger("prefect.flow_runs")


@dataclass(slots=True)
class Record:
    """What a run has to say of itself; filled in while it works."""

    message: str = ""
    periods: int = 0
    row_count: int = 0
    byte_count: int = 0
    lag: timedelta | None = None


def note(record: Record, summary: Summary, lag: timedelta | None) -> None:
    """Fill ``record`` in with what a warming did, and how far behind the market that left the store."""
    record.message, record.lag = summary["message"], lag
    record.periods = summary["built"] + summary["renewed"]
    record.row_count, record.byte_count = summary["rows"], summary["bytes"]


@contextmanager
def recorded(root: Path, flow_name: str) -> Iterator[Record]:
    """Write the run that is under way into the history of the store at ``root``, its failure too.

    A history that cannot be written is a warning: the run has done its work, or has a cause of its own.
    """
    began_at, began = datetime.now(UTC), perf_counter()
    if deployment.id:
        end_dead_runs()
    record = Record()
    outcome: Outcome = "done"
    try:
        with _stopping():
            yield record
    except BaseException as error:
        is_stopped = isinstance(error, CancelledRun | TerminationSignal | KeyboardInterrupt)
        outcome = "cancelled" if is_stopped else "failed"
        record.message = str(error) or type(error).__name__
        raise
    finally:
        if record.lag is not None and record.lag > LATE:
            # What deploy/automations.yaml counts: runs that succeed on data that stands still.
            lag = {"run": deployment.name or flow_name, "lag_seconds": record.lag.total_seconds()}
            emit_event(event=DATA_LAG, resource={"prefect.resource.id": "nemwarm.store"}, payload=lag)
        try:
            record_run(root, _run(flow_name, record, outcome, began_at, perf_counter() - began))
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


def _run(flow_name: str, record: Record, outcome: Outcome, began_at: datetime, seconds: float) -> Run:
    return Run(
        name=deployment.name or flow_name,
        trigger=_trigger(),
        began_at=began_at,
        seconds=round(seconds, 3),
        outcome=outcome,
        message=record.message,
        parameters=flow_run.parameters,
        periods=record.periods,
        row_count=record.row_count,
        byte_count=record.byte_count,
        lag=record.lag,
    )


def _trigger() -> str:
    """The schedule that started this run, as prefect.yaml names it; else whoever did."""
    context = FlowRunContext.get()
    creator = context.flow_run.created_by if context and context.flow_run else None
    return (creator.display_value if creator else None) or ("ad hoc" if deployment.name else "console")
