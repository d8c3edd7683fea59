"""What a run says it did: a summary for the caller, a table for the server, lines for the log."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

from prefect import get_run_logger
from prefect.artifacts import create_progress_artifact, create_table_artifact, update_progress_artifact

from flows.dead import SERVER_AWAY
from flows.work import Outcome, Work

if TYPE_CHECKING:
    from uuid import UUID

T = TypeVar("T")
PACE = 10.0  # seconds: how often a run says how far it is; a tick is done by then, and says nothing


class Counts(TypedDict):
    """Periods of a query, by what became of them; ``rows`` and ``bytes`` are those of the files published."""

    built: int
    renewed: int
    fresh: int
    failed: int
    rows: int
    bytes: int
    seconds: float


class Summary(Counts):
    """What a run did, and a sentence that says it."""

    message: str


def summarise(work: Work, outcomes: Sequence[Outcome], seconds: float) -> Summary:
    """The counts of a run that took so many ``seconds``, and the sentence that says them."""
    counts = _count(outcomes, sum(work.fresh.values()))
    message = "built {built}, renewed {renewed}, left {fresh} fresh" if outcomes else "nothing was due: {fresh} fresh"
    message = f"{message.format(**counts)} partitions in {seconds:.1f} s"
    if work.absent:
        message = f"{message}; no {', '.join(work.absent.values())} in the source"
    if counts["failed"] or work.unplanned:
        failed = f"{counts['failed']} partitions and {len(work.unplanned)} whole queries failed"
        message = f"incomplete: {failed}; {message}"
    return {**counts, "seconds": round(seconds, 3), "message": message}


def list_problems(work: Work, outcomes: Iterable[Outcome]) -> list[str]:
    """A sentence per query that could not be planned, and per cause of partitions not warmed, naming them."""
    named: dict[tuple[str, str], list[str]] = {
        (query, cause): ["as a whole"] for query, cause in work.unplanned.items()
    }
    for outcome in outcomes:
        for period, cause in outcome.failed.items():
            named.setdefault((outcome.batch.query, cause), []).append(period)
    return [f"{query} {', '.join(periods)} not warmed: {cause}" for (query, cause), periods in named.items()]


def tabulate(work: Work, outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """A row per query and reason it was due for, and one for what of it was fresh. No query is left out."""
    alike: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        alike.setdefault((outcome.batch.query, outcome.batch.reason), []).append(outcome)
    rows = [_row(query, reason, found) for (query, reason), found in alike.items()]
    worked = {query for query, _ in alike}
    left = {query: count for query, count in work.fresh.items() if count or query not in worked}
    rows += [_row(query, "fresh", (), fresh=count) for query, count in left.items()]
    rows += [_row(query, "not planned", ()) for query in work.unplanned]
    return rows + [_row(query, f"no {table} in the source", ()) for query, table in work.absent.items()]


def tell(
    key: str, rows: list[dict[str, Any]], message: str, problems: Sequence[str] = (), level: int = logging.INFO
) -> None:
    """Log ``message``, and leave it with ``rows`` and ``problems`` on the server, as the artifact ``key``."""
    get_run_logger().log(level, message)
    create_table_artifact(rows, key=key, description="\n\n".join([message, *problems, "Source: AEMO"]))


def watched(parts: Iterable[T], count: int, key: str) -> Iterator[T]:
    """Pass ``parts`` on, leaving now and then on the server, as the artifact ``key``, how many of ``count`` are done.

    A server that takes none is a warning: the work goes on.
    """
    artifact, due = None, monotonic() + PACE
    for done, part in enumerate(parts, 1):
        yield part  # and done when the next is asked for
        if monotonic() < due and (artifact is None or done < count):
            continue
        progress, said, due = 100 * done / count, f"{done} of {count}", monotonic() + PACE
        try:
            if artifact is None:
                artifact = cast("UUID", create_progress_artifact(progress, key, said))
            else:
                update_progress_artifact(artifact, progress, said)
        except SERVER_AWAY as error:
            get_run_logger().warning(f"{said} are done, which the server could not be told: {error}")


def describe(outcome: Outcome) -> str:
    """One line for the log."""
    batch = outcome.batch
    return (
        f"{batch.query} {_range(batch.periods)}: {batch.reason}, {outcome.warmed} of {len(batch.periods)} warmed, "
        f"{outcome.row_count} rows in {outcome.seconds:.2f} s"
    )


def _row(query: str, reason: str, outcomes: Sequence[Outcome], *, fresh: int = 0) -> dict[str, Any]:
    periods = [period for outcome in outcomes for period in outcome.batch.periods]
    return {"query": query, "reason": reason, "periods": _range(periods), **_count(outcomes, fresh)}


def _count(outcomes: Sequence[Outcome], fresh: int) -> Counts:
    return {
        "built": sum(outcome.warmed for outcome in outcomes if not outcome.batch.is_renewal),
        "renewed": sum(outcome.warmed for outcome in outcomes if outcome.batch.is_renewal),
        "fresh": fresh,
        "failed": sum(len(outcome.failed) for outcome in outcomes),
        "rows": sum(outcome.row_count for outcome in outcomes),
        "bytes": sum(outcome.byte_count for outcome in outcomes),
        "seconds": round(sum(outcome.seconds for outcome in outcomes), 2),
    }


def _range(periods: Sequence[str]) -> str:
    return " to ".join(sorted({min(periods), max(periods)})) if periods else "none"
