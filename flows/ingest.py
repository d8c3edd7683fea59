"""ingest_current and backfill: AEMO's files into the lake, then the days that changed into the cache.

Where files are, what was taken and what is refused is nem's to know, what is due cache_store's; here are order, retries and
what is said of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from cache_store import CATALOGUE, open_store
from cache_store.errors import CacheStoreError
from cache_store.history import Run
from cache_store.settings import Settings
from cache_store.status import furthest_behind, status
from flows.record import note, recorded
from flows.report import list_problems, summarise, tell, watched
from flows.warm import may_pass, warm_due
from flows.work import Outcome, Work, find_work
from nem import Window, open_source
from nem.errors import SourceUnavailableError
from nem.ingest import ingest_current as take_feeds
from nem.ingest import ingest_month
from nem.nemweb import open_web
from nem.taken import Ingested
from nem.windows import day_window, joined, months_of, parse_time


class IngestIncompleteError(CacheStoreError):
    """The operator's to look at: some files did not land, or some days were not warmed; the message names them."""


@flow(name="ingest-current", persist_result=False)
def ingest_current(feeds: list[str] | None = None) -> str:
    """Land what is new in AEMO's current feeds, warm the days that changed, and return a sentence that says so.

    Args:
        feeds: their names, where it is not to be those of the settings.

    Raises:
        UnknownFeedError: the caller's mistake; nothing was done.
        IngestIncompleteError: all else landed and is warm; the next run tries again.
        SourceUnavailableError: the lake cannot be written, or another ingest is at work.
    """
    settings = Settings()
    with recorded(settings.store, "ingest-current") as record:
        done = take_current(feeds or settings.feeds)
        warmed = _warm(joined(map(day_window, done.changed_days)))
        lag = furthest_behind(status(open_store(settings.store), now=datetime.now(UTC)))
        return _finish(record, {"": done}, [warmed], "ingest-current", lag=lag)


@flow(name="backfill", persist_result=False)
def backfill(
    start: str,
    end: str,
    force: bool = False,
    processes: Annotated[int, Field(ge=1)] = 1,
    scheduler: str | None = None,
) -> str:
    """Land AEMO's history between two times, newest month first, warming each as it lands; say what came of it.

    A run that was killed goes on where it was: what has landed is not taken again, what is warm not built again.

    Args:
        start: NEM time, a date (its 00:00) or YYYY-MM-DDTHH:MM.
        end: likewise, the last label.
        force: take again what was taken before.
        processes: how many warm at a time; more than one make a Dask cluster here, which takes ``nemwarm[dask]``.
        scheduler: instead, the address of a Dask scheduler whose workers reach lake and store by the same paths.

    Raises:
        WindowError: the caller's mistake; nothing was done.
        IngestIncompleteError: names the months and files that did not land; all others did, and are warm.
    """
    settings, logger = Settings(), get_run_logger()
    with recorded(settings.store, "backfill") as record:
        months = months_of(Window(parse_time(start), parse_time(end)), datetime.now(UTC))
        taken: dict[str, Ingested] = {}
        lost: list[str] = []
        parts: list[tuple[Work, list[Outcome]]] = []
        for month in watched(months, len(months), "backfill-progress"):
            try:
                done = take_month(month, force)
            except SourceUnavailableError as error:
                lost.append(f"{month.start:%Y-%m}: {error}")
                continue
            logger.info(f"{month.start:%Y-%m}: {done.message}")
            taken[f"{month.start:%Y-%m}"] = done
            # The whole of it, not only what changed now: a run before this one may have been killed before it warmed.
            changed = joined(map(day_window, done.changed_days))
            windows = [month, *(other for window in changed for other in window.minus([month]))]
            parts.append(_warm(windows, processes, scheduler))
        return _finish(record, taken, parts, "backfill", lost)


@task(task_run_name="current feeds", cache_policy=NO_CACHE, persist_result=False)
def take_current(feeds: Sequence[str]) -> Ingested:
    """Land what is new in those of ``feeds`` that are due. Not retried: it asks again by itself, and so does the next run."""
    settings = Settings()
    with open_web(agent=settings.user_agent) as web:
        return take_feeds(settings.lake, web, settings.nemweb, now=datetime.now(UTC), feeds=feeds, only_due=True)


@task(
    task_run_name="month of {month.start:%Y-%m}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=[30, 120],
    retry_condition_fn=may_pass,
)
def take_month(month: Window, force: bool) -> Ingested:
    """Land one month of history; what it could not have is in what it returns.

    Raises:
        SourceUnavailableError: the lake cannot be written, or another ingest of history is at work.
    """
    settings = Settings()
    with open_web(agent=settings.user_agent) as web:
        return ingest_month(
            settings.lake, web, settings.nemweb, month, now=datetime.now(UTC), feeds=settings.feeds, force=force
        )


def _warm(windows: Sequence[Window], processes: int = 1, scheduler: str | None = None) -> tuple[Work, list[Outcome]]:
    """Warm what is due in any of ``windows``, for every query whose data the lake has; nothing for no window."""
    if not windows:
        return Work(), []
    settings = Settings()
    store, source = open_store(settings.store), open_source(settings.lake)
    now = source.now()
    work = find_work(store, source, CATALOGUE.values(), now=now, windows=windows)
    return work, warm_due(work, now, processes, scheduler)


def _finish(
    record: Run,
    taken: Mapping[str, Ingested],
    parts: Sequence[tuple[Work, list[Outcome]]],
    key: str,
    lost: Sequence[str] = (),
    lag: timedelta | None = None,
) -> str:
    """Write the artifact and the record, and return the sentence; raise what did not land or was not warmed.

    ``taken`` is by month, if it is of one. ``lag`` is behind the market: of the feeds' run alone, for history may be all a
    lake is meant to hold.
    """
    outcomes = [outcome for _, found in parts for outcome in found]
    problems = [*lost, *(problem for done in taken.values() for problem in done.problems)]
    problems += [problem for work, found in parts for problem in list_problems(work, found)]
    warmed = summarise(Work(), outcomes, sum(outcome.seconds for outcome in outcomes))
    note(record, warmed, lag)
    record.message = "; ".join([*(done.message for done in taken.values()), warmed["message"]])
    tell(key, tabulate(taken), record.message, problems)
    if problems:
        raise IngestIncompleteError("; ".join(problems))
    return record.message


def tabulate(taken: Mapping[str, Ingested]) -> list[dict[str, Any]]:
    """A row per feed or month: what landed, what was known, what was refused and what is left."""
    return [
        {
            "from": f"{one.name} {month}".strip(),
            "landed": one.landed,
            "seen before": one.skipped,
            "rejected": ", ".join(one.rejected) or "none",
            "failed": ", ".join(one.failed) or "none",
            "left": one.left,
            "gaps": ", ".join(f"{gap.start} to {gap.end}" for gap in one.gaps) or "none",
        }
        for month, done in taken.items()
        for one in done.taken
    ]
