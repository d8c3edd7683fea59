"""The scoreboard: printed, and kept as JSON and Markdown with the machine and the versions it was taken on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import psutil

from benchmarks.apart import PROJECT
from benchmarks.measure import Row

SECTIONS = {
    "warming": "Warming all history from nothing",
    "reads": "Reading, beside bare DuckDB on the same files and beside the source",
    "engines": "Partitions beside engines that work energy out of the lake each time",
    "caches": "Other caches holding the same frames",
    "crowd": "Many at once",
    "refresh": "Taking in what is new or revised",
    "start": "Starting, and opening pages in a browser",
    "imports": "Where the time of imports goes",
    "load": "Many users over real websockets",
}
PACKAGES = (
    "duckdb", "pyarrow", "prefect", "panel", "bokeh", "polars", "chdb", "diskcache", "dogpile.cache", "joblib",
    "psycopg",
)  # fmt: skip
HEADS = ("case", "ours", "measured", "rival", "measured", "ratio", "budget", "verdict")
QUIET = 0.1  # share of the machine that other work may take before the report warns

_PREFACE = """# Benchmarks

Written by `make bench`; do not edit. The data is generated (`benchmarks/generate.py`): units of the real registry, made-up values.
Figures are medians, ± the distance between the quartiles; ways beside each other ran in turn in one process, so ratios say more than times.
Answers were found equal before they were timed."""


@dataclass(frozen=True, slots=True)
class Section:
    """Rows measured together, and what they hold for; ``busy`` is the share of the machine that other work took."""

    rows: tuple[Row, ...]
    on: Mapping[str, str]
    seconds: float
    busy: float

    @classmethod
    def of(cls, rows: Sequence[Row], size: str, only: Sequence[str], seconds: float, busy: float) -> Section:
        """What was just measured, here."""
        command = "make bench FULL=1" if size == "full" else "make bench"
        if len(only) < len(SECTIONS):
            command += f" ONLY={only[0]}" if len(only) == 1 else f" ONLY='{' '.join(only)}'"
        return cls(tuple(rows), _here() | {"command": command}, seconds, busy)


def _here() -> dict[str, str]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=PROJECT)
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "versions": ", ".join(
            [f"nemwarm {commit.stdout.strip() or version('nemwarm')}", f"python {platform.python_version()}"]
            + [found for name in PACKAGES if (found := _installed(name))]
        ),
        "taken": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    }


def _installed(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""


def busy_share() -> float:
    """The share of the machine's time that is taken now, while this process does nothing."""
    return psutil.cpu_percent(interval=1.0) / 100


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
        _figure(row.mine, row.spread, row.unit) if row.ours else "",
        row.rival,
        "" if row.theirs is None else _figure(row.theirs, row.their_spread, row.unit),
        ratio,
        ", ".join(bounds),
        row.verdict,
    ]


def _figure(value: float, spread: float, unit: str) -> str:
    number = f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"
    return f"{number} {unit}{f' ± {spread:.0%}' if spread else ''}".strip()


def print_board(sections: Mapping[str, Section]) -> None:
    """The scoreboard on the console, one line a row; then what was missed, again."""
    rows = _rows(sections)
    table = [list(HEADS), *map(cells, rows)]
    widths = [max(len(one[i]) for one in table) for i in range(len(HEADS))]
    print()
    for one in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(one, widths, strict=True)).rstrip())
    print(f"\n{_count(rows)}")
    for miss in _misses(rows):
        print(f"  missed: {miss}")
    for name, section in sections.items():
        print(f"  {name}: {_quietness(section)}")


def _rows(sections: Mapping[str, Section]) -> list[Row]:
    return [row for section in sections.values() for row in section.rows]


def _count(rows: Sequence[Row]) -> str:
    verdicts = [row.verdict for row in rows]
    return f"{verdicts.count('pass')} budgets kept, {verdicts.count('MISS')} missed, {verdicts.count('-')} lines without one"


def _misses(rows: Sequence[Row]) -> list[str]:
    return [_miss(*cells(row)) for row in rows if row.verdict == "MISS"] or ["none"]


def _miss(case: str, ours: str, mine: str, rival: str, theirs: str, ratio: str, bound: str, _: str) -> str:
    beside = f" beside {rival} {theirs}: {ratio}" if rival else ""
    return f"{case}: {ours} {mine}{beside} (budget {bound})"


def _quietness(section: Section) -> str:
    taken = f"Taken {section.on['taken']} in {section.seconds:.0f} s by `{section.on['command']}`"
    others = f"other work took {section.busy:.0%} of the machine"
    return f"{taken}; {others}{'' if section.busy <= QUIET else ', so it was **not quiet**: times are too long'}."


def read_sections(folder: Path) -> dict[str, Section]:
    """What an earlier run wrote to ``folder``."""
    file = folder / "benchmarks.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    return {name: Section(**one | {"rows": tuple(Row(**row) for row in one["rows"])}) for name, one in kept.items()}


def write_report(sections: Mapping[str, Section], folder: Path) -> None:
    """``benchmarks.json``, ``benchmarks.md`` and its pictures in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered = {name: sections[name] for name in SECTIONS if name in sections}
    text = json.dumps({name: asdict(one) for name, one in ordered.items()}, indent=1)
    (folder / "benchmarks.json").write_text(text + "\n")
    rows, newest = _rows(ordered), max(ordered.values(), key=lambda one: one.on["taken"]).on
    lines = [_PREFACE, "", *(f"- {name}: {newest[name]}" for name in ("machine", "versions"))]
    lines += ["", f"{_count(rows)}. Missed:", "", *(f"- {miss}" for miss in _misses(rows))]
    if find_spec("matplotlib"):
        from benchmarks.plots import draw

        for title, picture in draw(rows, folder / "images"):
            lines += ["", f"![{title}](images/{picture.name})"]
    for name, section in ordered.items():
        table = (HEADS, ["---"] * len(HEADS), *map(cells, section.rows))
        lines += ["", f"## {SECTIONS[name]}", "", _quietness(section), ""]
        lines += [f"| {' | '.join(one)} |" for one in table]
    (folder / "benchmarks.md").write_text("\n".join(lines) + "\n")
