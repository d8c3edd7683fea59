"""An answer as a file: CSV and JSON with the zone written out, or Parquet with it in the footer."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from cache_store.answer import Answer, Receipt, Segment

Format = Literal["csv", "json", "parquet"]
_NOTE = {"time_zone": "NEM time, UTC+10 all year", "attribution": "Source: AEMO"}


def export(answer: Answer, form: Format) -> bytes:
    """The rows of ``answer``. Outside Parquet, times carry ``+10:00``: naive ones would be read as local."""
    if form == "parquet":
        return parquet_bytes(
            answer.table, {name: json.dumps(value) for name, value in describe(answer.receipt).items()}
        )
    if form == "json":
        rows = _zoned(answer.table).to_pylist()
        return json.dumps({**_NOTE, "receipt": describe(answer.receipt), "rows": rows}).encode() + b"\n"
    return csv_bytes(answer.table)


def csv_bytes(table: pa.Table) -> bytes:
    """``table`` as CSV, its times with ``+10:00``."""
    buffer = io.BytesIO()
    pa_csv.write_csv(_zoned(table), buffer, pa_csv.WriteOptions(quoting_style="needed"))
    return buffer.getvalue()


def parquet_bytes(table: pa.Table, notes: Mapping[str, str]) -> bytes:
    """``table`` as Parquet, its times naive; ``notes``, the zone and the attribution in the footer."""
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(_NOTE | dict(notes)), buffer, compression="zstd")
    return buffer.getvalue()


def describe(receipt: Receipt) -> dict[str, object]:
    """A receipt as plain JSON values; market times carry ``+10:00``."""
    through, built = receipt.data_through, receipt.built_at
    return {
        "query": receipt.query,
        "start": f"{receipt.window.start.isoformat()}+10:00",
        "end": f"{receipt.window.end.isoformat()}+10:00",
        "resolution": receipt.resolution,
        "origin": receipt.origin,
        "generation": receipt.generation,
        "coverage": receipt.coverage,
        "data_through": through and f"{through.isoformat()}+10:00",
        "built_at": built and built.isoformat(),
        "notes": list(receipt.notes),
        "segments": [describe_segment(segment) for segment in receipt.segments],
    }


def describe_segment(segment: Segment) -> dict[str, object]:
    """A segment likewise; rows and bytes are null where it is live: nothing knows them before the source is asked."""
    return {
        "start": f"{segment.window.start.isoformat()}+10:00",
        "end": f"{segment.window.end.isoformat()}+10:00",
        "origin": segment.origin,
        "reason": segment.reason,
        "grain": segment.grain,
        "build": segment.build,
        "rows": segment.row_count,
        "bytes": segment.byte_count,
    }


def _zoned(table: pa.Table) -> pa.Table:
    for i, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            seconds = table.column(i).cast(pa.timestamp("s"))
            table = table.set_column(i, field.name, pc.strftime(seconds, "%Y-%m-%dT%H:%M:%S+10:00"))
    return table
