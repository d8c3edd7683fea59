"""Commands that answer: query, explain, status and history."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from cli.codes import OK
from cli.installation import open_installation, window_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cache_store import Receipt, Segment
    from cache_store.history import Run
    from cache_store.status import Overview


def _request(arguments: argparse.Namespace) -> dict[str, Any]:
    keys = ("region_id", "fueltech_id", "duid", "interconnector_id")
    filters = {key: values for key in keys if (values := getattr(arguments, key))}
    return {"filters": filters, "resolution": arguments.resolution, "origin": arguments.origin}


def run_query(arguments: argparse.Namespace) -> int:
    """Print the answer, and where it came from on standard error."""
    from cache_store import fetch
    from cache_store.export import export

    store, source, now = open_installation()
    answer = fetch(store, source, arguments.name, window_of(arguments), now=now, **_request(arguments))
    if arguments.format == "table":
        store.connection.from_arrow(answer.table).show(max_rows=60, max_width=200)
    else:
        sys.stdout.buffer.write(export(answer, arguments.format))
        sys.stdout.buffer.flush()
    print(_receipt_line(answer.receipt, answer.table.num_rows), file=sys.stderr)
    return OK


def _receipt_line(receipt: Receipt, row_count: int) -> str:
    through = f"{receipt.data_through:%Y-%m-%d %H:%M} NEM" if receipt.data_through else "nothing"
    words = [
        f"{receipt.query} {receipt.window}",
        receipt.resolution,
        f"{row_count} rows",
        receipt.origin,
        f"data to {through}",
    ]
    return " · ".join([*words, *receipt.notes, "Source: AEMO"])


def run_explain(arguments: argparse.Namespace) -> int:
    """Print the plan, a line per segment with what it reads and takes."""
    from cache_store import explain
    from cache_store.export import describe, describe_segment
    from cache_store.usage import estimated_ms, read_usage

    store, source, now = open_installation()
    receipt = explain(store, source, arguments.name, window_of(arguments), now=now, **_request(arguments))
    planned = [*zip(receipt.segments, estimated_ms(receipt, read_usage(store.root)), strict=True)]
    if arguments.format == "json":
        segments = [describe_segment(segment) | {"estimated_ms": ms} for segment, ms in planned]
        print(json.dumps(describe(receipt) | {"segments": segments}))
        return OK
    for segment, ms in planned:
        rows = "" if segment.row_count is None else f"{segment.row_count:,} rows"
        time = "" if ms is None else f"{ms:,.1f} ms"
        where = f"{segment.origin:6} {segment.reason:20} {segment.grain:6} {segment.build or '':12}"
        print(f"{segment.window}  {where} {rows:>14} {time:>12}".rstrip())
    print(_cost_line(planned))
    return OK


def _cost_line(planned: Sequence[tuple[Segment, float | None]]) -> str:
    """What the partitions read hold in all, and how long the whole takes."""
    sizes = [(one.row_count, one.byte_count) for one, _ in planned if one.row_count and one.byte_count]
    rows, byte_count = (sum(column) for column in zip(*sizes, strict=True)) if sizes else (0, 0)
    times = [ms for _, ms in planned if ms is not None]
    known = f"about {sum(times):,.1f} ms" if len(times) == len(planned) else "no reader has yet been timed at it"
    return f"{len(sizes)} files, {rows:,} rows, {byte_count / 1e6:.1f} MB; {known}"


def run_status(arguments: argparse.Namespace) -> int:
    """Print a row per query and grain; the table also says how readers and the last runs did."""
    from dataclasses import asdict

    from cache_store.status import overview

    store, _, now = open_installation()
    if arguments.format == "prometheus":
        from cache_store.metrics import metrics

        print(metrics(store, now=now), end="")
        return OK
    seen = overview(store, now=now)
    rows = [asdict(row) for row in seen.series]
    for row in rows:
        row["data_through"] = row["data_through"] and f"{row['data_through'].isoformat()}+10:00"
        for name in ("built_at", "verified_at"):
            row[name] = row[name] and row[name].isoformat()
        row["lag_minutes"] = (lag := row.pop("lag")) and lag.total_seconds() / 60
    if arguments.format == "json":
        print(json.dumps(rows))
        return OK
    for row in rows:
        print(
            f"{row['query']:20} {row['grain']:6} {row['partitions']:5} partitions ({row['fresh']} fresh, "
            f"{row['expired']} expired) {row['byte_count'] / 1e6:8.1f} MB  data to {row['data_through'] or '-'}"
        )
    for line in (*_how_it_does(seen), *_what_landed(now)):
        print(line)
    return OK


def _what_landed(now: datetime) -> Iterator[str]:
    """A line per feed that was ever taken, one per file refused, and how far behind the lake is."""
    from cache_store.settings import Settings
    from nem.taken import last_ingest
    from nem.taking import newest_labels
    from nem.windows import ceil, market_time

    lake = Settings().lake
    taken = last_ingest(lake)
    for one in taken:
        words = [f"{one.landed} landed", f"{one.skipped} seen before", f"{one.rejected_count} rejected"]
        words += [f"{one.left} left"] if one.left else []
        words += [f"gap {gap.start:%Y-%m-%d %H:%M} to {gap.end:%Y-%m-%d %H:%M}" for gap in one.gaps]
        yield f"{one.name:20} {one.checked_at:%Y-%m-%d %H:%M:%S}Z  {', '.join(words)}"
        yield from (f"  {name}: {why}" for name, why in (*one.rejected.items(), *one.failed.items()))
    if taken:
        due = ceil(market_time(now).replace(microsecond=0), "5min")
        yield from (
            f"{table:20} to {label:%Y-%m-%d %H:%M} NEM, {due - label} behind"
            for table, label in newest_labels(lake).items()
        )


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
