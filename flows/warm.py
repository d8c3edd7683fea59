"""warm_cache: build the partitions that are missing or changed, renew those merely old, read them back, and say so.

What is due, how it is built and where it goes is cache_store's to know; here are order, retries and verification.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

from prefect import State, Task, flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import TaskRun
from pydantic import Field

from cache_store import CATALOGUE, find_query, open_store
from cache_store.errors import CacheStoreError, StoreUnavailableError
from cache_store.flight import take_turn
from cache_store.settings import Settings
from cache_store.status import furthest_behind, status
from cache_store.warm import warm
from flows.record import note, recorded
from flows.report import Summary, describe, list_problems, summarise, tabulate, tell, watched
from flows.verify import ask_again, read_back
from flows.work import Batch, Outcome, Work, asked_most, check_range, find_work
from nem import open_source
from nem.errors import NemError, SourceUnavailableError


class WarmIncompleteError(CacheStoreError):
    """The operator's to mend: some partitions were not warmed; the message names them. All others are published."""


@flow(name="warm-cache", persist_result=False)
def warm_cache(
    queries: list[str] | None = None,
    start: str | None = None,
    end: str | None = None,
    days: int | None = None,
    asked: int | None = None,
    budget_mb: Annotated[int | None, Field(ge=0)] = None,
    force: bool = False,
    processes: Annotated[int, Field(ge=1)] = 1,
    scheduler: str | None = None,
) -> Summary:
    """Bring the store up to date with the source, and return what that took.

    Args:
        queries: names of the catalogue; without them, all whose data the source has.
        start: NEM time, a date (its 00:00) or YYYY-MM-DDTHH:MM; from the first data if absent.
        end: likewise, the last label; up to the newest data if absent.
        days: instead of start and end, the last so many NEM days of the data.
        asked: instead, what the so many requests mean that readers asked most; each is then asked of the cache.
        budget_mb: of these, in their order, only as many as take so many millions of bytes together.
        force: rebuild what is not due, too.
        processes: how many build at a time; more than one make a Dask cluster here, which takes ``nemwarm[dask]``.
        scheduler: instead, the address of a Dask scheduler whose workers reach lake and store by the same paths.

    Raises:
        UnknownQueryError, RequestError, WindowError: the caller's mistake; nothing was done.
        WarmIncompleteError: what could be warmed is published, the next run does the rest.
    """
    began, settings = perf_counter(), Settings()
    with recorded(settings.store, "warm-cache") as record:
        chosen = [find_query(name) for name in queries or CATALOGUE]
        windows = check_range(start, end, days, asked, budget_mb)
        now = open_source(settings.lake).now()
        # Opened in passing: a connection in this frame would live on in the traceback of a failed run.
        shapes = asked_most(open_store(settings.store), asked, budget_mb, now)
        work = find_work(
            open_store(settings.store),
            open_source(settings.lake),
            chosen,
            now=now,
            windows=windows,
            days=days,
            shapes=shapes,
            force=force,
            named=bool(queries),
        )
        outcomes = warm_due(work, now, processes, scheduler)
        summary, problems = summarise(work, outcomes, perf_counter() - began), list_problems(work, outcomes)
        problems += ask_again(open_store(settings.store), open_source(settings.lake), chosen, shapes or (), now)
        note(record, summary, furthest_behind(status(open_store(settings.store), now=now)))
        tell("warm-cache", tabulate(work, outcomes), f"{summary['message']}, as of {now:%Y-%m-%d %H:%M}Z", problems)
        if problems:
            raise WarmIncompleteError("; ".join(problems))
        return summary


def warm_due(work: Work, now: datetime, processes: int = 1, scheduler: str | None = None) -> list[Outcome]:
    """Warm what is due, and log of each batch what became of it."""
    settings, logger, outcomes = Settings(), get_run_logger(), list[Outcome]()
    with builder(settings.lake, settings.store, work.batches, now, processes, scheduler) as build:
        for outcome in watched(warm_all(work.batches, build), len(work.batches), "warm-progress"):
            logger.info(describe(outcome))
            outcomes.append(outcome)
    return outcomes


def may_pass(_task: Task[..., Any], _task_run: TaskRun, state: State[Any]) -> bool:
    """A source or a disk that is away may come back; any other error will be the same next time."""
    return isinstance(state.data, SourceUnavailableError | StoreUnavailableError)


@task(
    task_run_name="{batch.query} {batch.periods[0]} {batch.reason}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=[10, 60],
    retry_condition_fn=may_pass,
)
def warm_batch(lake: Path, root: Path, batch: Batch, now: datetime, threads: int | None = None) -> Outcome:
    """Build or renew a batch, publish it at once and read it back. A period that fails does not stop the others.

    ``threads`` are the cores it may take, all without.

    Raises:
        NemError, CacheStoreError: no period of it could be warmed, or nothing be published.
    """
    began = perf_counter()
    source, store, query = open_source(lake), open_store(root, threads=threads), find_query(batch.query)
    with take_turn(root, batch.query):
        warmed = warm(store, source, query, batch.tasks, now=now)
        # Still in our turn: the next builder may replace what was just published.
        causes = warmed.failed | read_back(store, source, query, warmed.entries, now)
    if len(warmed.failed) == len(batch.periods):
        raise warmed.failed[batch.periods[0]]
    return Outcome(
        batch,
        failed={period: str(cause) for period, cause in causes.items()},
        row_count=sum(entry.row_count for entry in warmed.entries),
        byte_count=sum(entry.byte_count for entry in warmed.entries),
        seconds=perf_counter() - began,
    )


@contextmanager
def builder(
    lake: Path, root: Path, batches: Sequence[Batch], now: datetime, processes: int = 1, scheduler: str | None = None
) -> Iterator[Callable[[Batch], Outcome]]:
    """What builds one of ``batches``: its task, here and now; on a Dask cluster all are begun at once and waited for."""
    if (processes == 1 and not scheduler) or not batches:
        yield lambda batch: warm_batch(lake, root, batch, now)
        return
    # Imported here: only nemwarm[dask] brings it.
    from prefect_dask.task_runners import DaskTaskRunner

    here = {"n_workers": processes, "threads_per_worker": 1, "dashboard_address": None}
    # Processes that each take every core only get in each other's way.
    threads = None if scheduler else max(1, (os.cpu_count() or 1) // processes)
    with DaskTaskRunner(address=scheduler, cluster_kwargs=None if scheduler else here) as cluster:
        given = ({"lake": lake, "root": root, "batch": batch, "now": now, "threads": threads} for batch in batches)
        begun = {one["batch"]: cluster.submit(warm_batch, parameters=one) for one in given}
        yield lambda batch: begun[batch].result()


def warm_all(batches: Sequence[Batch], run: Callable[[Batch], Outcome]) -> Iterator[Outcome]:
    """The outcome of each batch. One that fails does not stop the others, unless the store takes nothing any more."""
    for i, batch in enumerate(batches):
        try:
            yield run(batch)
        except StoreUnavailableError as error:
            yield from (_all_failed(left, error) for left in batches[i:])
            return
        except (NemError, CacheStoreError) as error:
            yield _all_failed(batch, error)


def _all_failed(batch: Batch, error: Exception) -> Outcome:
    return Outcome(batch, failed=dict.fromkeys(batch.periods, str(error)))
