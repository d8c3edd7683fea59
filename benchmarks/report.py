"""The scoreboard: printed, and kept as JSON and Markdown with the machine and the versions it was taken on."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.measure import Row
from benchmarks.plots import draw

PACKAGES = (
    "duckdb", "pyarrow", "prefect", "panel", "bokeh", "polars", "chdb", "diskcache", "dogpile.cache", "joblib",
    "psycopg",
)  # fmt: skip
HEADS = ("case", "ours", "measured", "rival", "measured", "ratio", "budget", "verdict")


def machine() -> dict[str, str]:
    """What the figures hold for."""
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load when the run ended (over 1, 5 and 15 minutes)": busy,
        "python": platform.python_version(),
        "packages": ", ".join(found for name in PACKAGES if (found := _installed(name))),
        "taken": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": " ".join(["python -m benchmarks", *sys.argv[1:]]),
    }


def _installed(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""


def cells(row: Row) -> list[str]:
    """A row as words."""
    bounds = []
    if row.at_most is not None:
        bounds.append(f"≤ {row.at_most:,.4g} {row.unit}".rstrip())
    if row.ratio_at_most is not None:
        bounds.append(f"≤ {row.ratio_at_most:g} x")
    if row.times_better is not None:
        bounds.append(f"≥ {row.times_better:g} x better")
    ratio = "" if row.ratio is None else f"{row.ratio:.2f} x{' better' if row.times_better else ''}"
    return [
        row.case + (f" ({row.note})" if row.note else ""),
        row.ours,
        _figure(row.mine, row.spread, row.unit),
        row.rival,
        "" if row.theirs is None else _figure(row.theirs, row.their_spread, row.unit),
        ratio,
        ", ".join(bounds),
        row.verdict,
    ]


def _figure(value: float, spread: float, unit: str) -> str:
    number = f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"
    return f"{number} {unit}{f' ± {spread:.0%}' if spread else ''}".strip()


def print_board(rows: Sequence[Row]) -> None:
    """The scoreboard on the console, one line a row; then what was missed, again."""
    table = [list(HEADS), *map(cells, rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(HEADS))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    print(f"\n{_count(rows)}")
    for row in rows:
        if row.verdict == "miss":
            print(f"  missed: {_miss(row)}")


def _count(rows: Sequence[Row]) -> str:
    verdicts = [row.verdict for row in rows]
    return f"{verdicts.count('pass')} budgets kept, {verdicts.count('miss')} missed, {verdicts.count('-')} lines without one"


def _miss(row: Row) -> str:
    case, ours, mine, rival, theirs, ratio, bound, _ = cells(row)
    beside = f" beside {rival} {theirs}: {ratio}" if rival else ""
    return f"{case}: {ours} {mine}{beside} (budget {bound})"


def write_report(rows: Sequence[Row], folder: Path) -> None:
    """``benchmarks.json``, ``benchmarks.md`` and its pictures in ``folder``."""
    found = [asdict(row) | {"ratio": row.ratio, "verdict": row.verdict} for row in rows]
    told = machine()
    (folder / "benchmarks.json").write_text(json.dumps({"on": told, "rows": found}, indent=1) + "\n")
    lines = [_PREFACE, *(f"- {name}: {fact}" for name, fact in told.items()), "", f"{_count(rows)}. Missed:", ""]
    lines += [f"- {_miss(row)}" for row in rows if row.verdict == "miss"] or ["- none"]
    for title, picture in draw(rows, folder / "images"):
        lines += ["", f"![{title}](images/{picture.name})"]
    for section in dict.fromkeys(row.section for row in rows):
        lines += ["", f"## {SECTIONS[section]}", ""]
        kept = [cells(row) for row in rows if row.section == section]
        lines += [f"| {' | '.join(line)} |" for line in (HEADS, ["---"] * len(HEADS), *kept)]
    (folder / "benchmarks.md").write_text("\n".join(lines) + "\n")


SECTIONS = {
    "reads": "Reading, beside bare DuckDB on the same files and beside the source",
    "live rivals": "Partitions beside engines that work energy out of the lake each time",
    "caches": "Other caches holding the same frames",
    "crowd": "Many at once",
    "refresh": "Warming and refreshing",
    "start": "Starting, and opening pages in a browser",
    "imports": "Where the time of imports goes",
    "load": "Many users over real websockets",
}

_PREFACE = """# Benchmarks

Written by `make bench`; do not edit. The data is generated (`benchmarks/generate.py`): 550 units of the real registry, made-up values.
Figures are medians, ± the quartile distance; ways beside each other ran in turn in one process, so ratios say more than times. Answers were
found equal before they were timed. A budget missed says so.
"""
