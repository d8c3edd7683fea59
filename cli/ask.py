"""Commands that answer: query and explain."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from cli.codes import OK
from cli.installation import open_installation, window_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from cache_store import Receipt, Segment


def _request(arguments: argparse.Namespace) -> dict[str, Any]:
    from cache_store.catalogue import FILTERS

    filters = {column: values for column in FILTERS if (values := getattr(arguments, column))}
    asked = {"resolution": arguments.resolution, "origin": arguments.origin, "measures": arguments.measure}
    return {"filters": filters, **asked}


def run_query(arguments: argparse.Namespace) -> int:
    """Print the answer, and where it came from on standard error."""
    from cache_store import fetch
    from cache_store.export import export

    store, source = open_installation()
    answer = fetch(store, source, arguments.name, window_of(arguments), now=source.now(), **_request(arguments))
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

    store, source = open_installation()
    receipt = explain(store, source, arguments.name, window_of(arguments), now=source.now(), **_request(arguments))
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
