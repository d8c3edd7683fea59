"""What a reader sees, to take away: the table as a file or on the page, and the command that asks for the rows it is made of."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from cache_store.catalogue import FILTERS
from cache_store.export import csv_bytes, parquet_bytes
from dashboard.data import Export, Question
from dashboard.markup import MISSING, moment, number

if TYPE_CHECKING:
    import pyarrow as pa

FORMS = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "table": "text/html"}
MOST_ROWS = 2_500  # of a table on the page; files have all
_ABOUT = "<p>Times are NEM time (UTC+10, no daylight saving). Source: AEMO</p>"


def encode(one: Export, form: str) -> tuple[str, str]:
    """The media type and the base64 of ``one`` as a file: in CSV a column's unit follows its name, ``wind (MW)``."""
    table = one.table
    if form == "parquet":
        notes = {
            "title": one.title,
            "command": "; ".join(command(question) for question in one.questions),
            **{f"unit.{name}": unit for name in table.column_names if (unit := one.unit_of(name))},
        }
        data = parquet_bytes(table, notes)
    elif form == "table":
        data = sheet(one, table).encode()
    else:
        data = csv_bytes(table.rename_columns(_heads(one, table)))
    return FORMS[form], base64.b64encode(data).decode()


def _heads(one: Export, table: pa.Table) -> list[str]:
    return [f"{name} ({unit})" if (unit := one.unit_of(name)) else name for name in table.column_names]


def sheet(one: Export, table: pa.Table) -> str:
    """``one``'s ``table`` as HTML: what a chart says, in words."""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in _heads(one, table))
    columns = [list(map(_cell, column.to_pylist())) for column in table.slice(0, MOST_ROWS).columns]
    rows = "".join(f"<tr><td>{'<td>'.join(cells)}" for cells in zip(*columns, strict=True))
    left = table.num_rows - MOST_ROWS
    more = f"<p>The first {MOST_ROWS:,} rows; a file has {left:,} more.</p>" if left > 0 else ""
    return (
        f"<h2>{escape(one.title)}</h2>{_ABOUT}{more}"
        f'<div tabindex="0"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, float):
        return number(value, ",.3f").rstrip("0").rstrip(".")
    return MISSING if value is None else escape(str(value))


def file_stem(one: Export) -> str:
    """Such as ``nemwarm_generation_SA1_2024-03-01_2024-03-08_source-AEMO``: CSV has no other place for its source."""
    asked = one.questions[0]
    where = "-".join(name for names in asked.filters.values() for name in names)[:40]
    parts = (
        "nemwarm",
        one.name,
        where,
        f"{asked.window.start:%Y-%m-%d}",
        f"{asked.window.end:%Y-%m-%d}",
        "source-AEMO",
    )
    return "_".join(re.sub(r"[^A-Za-z0-9-]+", "-", part) for part in parts if part)


def command(question: Question) -> str:
    """The console line that answers ``question``."""
    window = question.window
    words = ["nemwarm", "query", question.query]
    words += ["--start", f"{window.start:%Y-%m-%dT%H:%M}", "--end", f"{window.end:%Y-%m-%dT%H:%M}"]
    for column, names in question.filters.items():
        words += [word for name in names for word in (FILTERS[column], name)]
    return shlex.join([*words, "--resolution", question.resolution, "--format", "csv"])


def menu(exports: Sequence[Export]) -> str:
    """A pop-up that offers every table of the open tab; empty while it has none."""
    if not exports:
        return ""
    parts = "".join(_offer(place, one) for place, one in enumerate(exports))
    return (
        '<details class="popover right"><summary>Export</summary><div class="pop exports">'
        f"{parts}{_ABOUT}</div></details>"
    )


def _offer(place: int, one: Export) -> str:
    buttons = "".join(
        f'<button type="button" data-pick="export={place}.{form}">{label}</button>'
        for form, label in (("csv", "CSV"), ("parquet", "Parquet"), ("table", "Table"))
    )
    lines = "".join(f"<nw-copy><code>{escape(line)}</code></nw-copy>" for line in map(command, one.questions))
    return (
        f"<section><h3>{escape(one.title)}</h3><div>{buttons}</div>"
        f"<details><summary>The rows it is made of, from the console</summary>{lines}</details></section>"
    )
