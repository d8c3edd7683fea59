"""Commands that tell how this installation does, from its files alone: status and history."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cli.codes import OK, complain
from cli.installation import lags, open_installation

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cache_store.history import Run
    from cache_store.status import Overview, SeriesStatus
    from nem import Source
    from nem.taken import Taken


def run_status(arguments: argparse.Namespace) -> int:
    """Print a row per query and grain, then what was landed; the table also says how readers and the last runs did."""
    from cache_store.status import overview
    from nem.taken import last_ingest

    store, source = open_installation()
    now = source.now()
    if arguments.format == "prometheus":
        from cache_store.metrics import metrics

        print(metrics(store, now=now), end="")
        return OK
    seen, taken, tables = overview(store, now=now), last_ingest(source.root), _table_rows(source, now)
    if arguments.format == "json":
        series, feeds = [_series_row(row) for row in seen.series], [_feed_row(one) for one in taken]
        print(json.dumps({"series": series, "tables": tables, "feeds": feeds}))
        return OK
    for row in seen.series:
        through = _nem_time(row.data_through) if row.data_through else "-"
        print(
            f"{row.query:20} {row.grain:6} {row.partitions:5} partitions ({row.fresh} fresh, "
            f"{row.expired} expired) {row.byte_count / 1e6:8.1f} MB  data to {through}"
        )
    for line in (*_how_it_does(seen), *_what_landed(taken)):
        print(line)
    for table in tables:
        # By a clock that is slow, the newest label is to come.
        behind = timedelta(minutes=max(0.0, table["lag_minutes"]))
        print(f"{table['table']:20} in the source to {table['data_through']}, {behind} behind")
    return OK


def _nem_time(label: datetime) -> str:
    return f"{label.isoformat()}+10:00"


def _series_row(series: SeriesStatus) -> dict[str, Any]:
    from dataclasses import asdict

    row = asdict(series)
    row["data_through"] = row["data_through"] and _nem_time(row["data_through"])
    for name in ("built_at", "verified_at"):
        row[name] = row[name] and row[name].isoformat()
    row["lag_minutes"] = (lag := row.pop("lag")) and lag.total_seconds() / 60
    return row


def _table_rows(source: Source, now: datetime) -> list[dict[str, Any]]:
    """How far each table of the source goes and is behind the market; none, and why, where it cannot be read."""
    from nem.errors import NemError

    try:
        behind = lags(source, now)
    except NemError as error:
        complain(error, OK)
        return []
    return [
        {"table": table, "data_through": _nem_time(label), "lag_minutes": lag.total_seconds() / 60}
        for table, (label, lag) in behind.items()
    ]


def _feed_row(taken: Taken) -> dict[str, Any]:
    from nem.taken import row_of

    return row_of(taken) | {"gaps": [[_nem_time(gap.start), _nem_time(gap.end)] for gap in taken.gaps]}


def _what_landed(taken: Sequence[Taken]) -> Iterator[str]:
    """A line per feed that was ever taken, and one per cause of files refused or not had."""
    from nem.taken import list_problems

    for one in taken:
        words = [f"{one.landed} landed", f"{one.skipped} seen before", f"{one.rejected_count} rejected"]
        words += [f"{one.left} left"] if one.left else []
        words += [f"gap {gap.start:%Y-%m-%d %H:%M} to {gap.end:%Y-%m-%d %H:%M}" for gap in one.gaps]
        yield f"{one.name:20} {one.checked_at:%Y-%m-%d %H:%M:%S}Z  {', '.join(words)}"
    yield from (f"  {problem}" for problem in list_problems(taken))


def _how_it_does(seen: Overview) -> Iterator[str]:
    if seen.lag is not None:
        spread = f"; over the runs on record p50 {seen.lag_p50}, p95 {seen.lag_p95}" if seen.lag_p50 is not None else ""
        yield f"behind the market by {seen.lag}{spread}"
    if seen.hit_ratio is not None:
        answered = f"{seen.request_count} requests, {seen.hit_ratio:.1%} answered without the source"
        yield f"{answered}, {seen.seconds_saved:.0f} s of asking it saved"
    yield from (_run_line(run) for run in seen.last_runs)
    yield from (f"{_run_line(run)} (its last failure)" for run in seen.last_failures if run not in seen.last_runs)


def _run_line(run: Run) -> str:
    began = f"{run.began_at:%Y-%m-%d %H:%M:%S}Z"
    return f"{run.name:20} {run.outcome:9} {began} {run.trigger:12} {run.seconds:8.1f} s  {run.message}"


def run_history(arguments: argparse.Namespace) -> int:
    """Print the runs on record, newest first."""
    from cache_store.history import read_runs, row_of
    from cache_store.settings import Settings

    runs = [run for run in read_runs(Settings().store) if arguments.failed <= (run.outcome == "failed")]
    for run in runs[: arguments.limit]:
        print(json.dumps(row_of(run)) if arguments.format == "json" else _run_line(run))
    return OK
