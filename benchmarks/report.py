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

PACKAGES = ("duckdb", "pyarrow", "prefect", "panel", "bokeh", "polars", "diskcache", "dogpile.cache", "joblib")
HEADS = ("case", "ours", "ms", "rival", "ms", "ratio", "budget", "verdict")


def machine() -> dict[str, str]:
    """What the figures hold for."""
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "packages": ", ".join(found for name in PACKAGES if (found := _installed(name))),
        "taken": datetime.now(UTC).date().isoformat(),
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
    if row.budget_ms is not None:
        bounds.append(f"≤ {row.budget_ms:,.4g} ms")
    if row.budget_ratio is not None:
        bounds.append(f"≥ {row.budget_ratio:g} x" if row.faster else f"≤ {row.budget_ratio:g} x")
    ratio = "" if row.ratio is None else f"{row.ratio:.2f} x {'faster' if row.faster else 'the rival'}"
    return [
        row.case + (f" ({row.note})" if row.note else ""),
        row.ours,
        f"{_ms(row.ours_ms)} ± {row.spread:.0%}",
        row.rival,
        "" if row.rival_ms is None else _ms(row.rival_ms),
        ratio,
        ", ".join(bounds),
        row.verdict,
    ]


def _ms(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def print_board(rows: Sequence[Row]) -> None:
    """The scoreboard on the console, one line a row."""
    table = [list(HEADS), *map(cells, rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(HEADS))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    verdicts = [row.verdict for row in rows]
    print(
        f"\n{verdicts.count('pass')} budgets kept, {verdicts.count('miss')} missed, {verdicts.count('-')} without one"
    )


def write_report(rows: Sequence[Row], folder: Path) -> None:
    """``benchmarks.json`` and ``benchmarks.md`` in ``folder``."""
    found = [asdict(row) | {"ratio": row.ratio, "verdict": row.verdict} for row in rows]
    (folder / "benchmarks.json").write_text(json.dumps({"on": machine(), "rows": found}, indent=1) + "\n")
    facts = "\n".join(f"- {name}: {fact}" for name, fact in machine().items())
    lines = [f"| {' | '.join(line)} |" for line in (HEADS, ["---"] * len(HEADS), *map(cells, rows))]
    (folder / "benchmarks.md").write_text(f"{_PREFACE}\n{facts}\n\n" + "\n".join(lines) + "\n")


_PREFACE = """# Benchmarks

Written by `make bench`; do not edit. The data is generated (`benchmarks/generate.py`): 550 units of the real registry, made-up values.
Times are medians in ms, ± the quartile distance; each pair ran in turn in one process, so ratios say more than times. Answers were
found equal before they were timed. A budget missed says so.
"""
