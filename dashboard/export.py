"""What a reader sees, to take away: the table as a file, and the command that asks for the rows it is made of."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Sequence
from html import escape

from cache_store.catalogue import FILTERS
from cache_store.export import csv_bytes, parquet_bytes
from dashboard.data import Export, Question

FORMS = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def encode(one: Export, form: str) -> tuple[str, str]:
    """The media type and the base64 of ``one`` as a file: in CSV a column's unit follows its name, ``wind (MW)``."""
    if form == "parquet":
        notes = {
            "title": one.title,
            "command": "; ".join(command(question) for question in one.questions),
            **{f"unit.{name}": unit for name, unit in one.units.items()},
        }
        data = parquet_bytes(one.table, notes)
    else:
        names = [f"{name} ({one.units[name]})" if one.units.get(name) else name for name in one.table.column_names]
        data = csv_bytes(one.table.rename_columns(names))
    return FORMS[form], base64.b64encode(data).decode()


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
    parts = "".join(_offer(number, one) for number, one in enumerate(exports))
    return (
        '<details class="popover right"><summary>Export</summary><div class="pop exports">'
        f"{parts}<p>Times are NEM time (UTC+10, no daylight saving). Source: AEMO</p></div></details>"
    )


def _offer(number: int, one: Export) -> str:
    buttons = "".join(
        f'<button type="button" data-pick="export={number}.{form}">{label}</button>'
        for form, label in (("csv", "CSV"), ("parquet", "Parquet"))
    )
    lines = "".join(f"<nw-copy><code>{escape(line)}</code></nw-copy>" for line in map(command, one.questions))
    return (
        f"<section><h3>{escape(one.title)}</h3><div>{buttons}</div>"
        f"<details><summary>The rows it is made of, from the console</summary>{lines}</details></section>"
    )
