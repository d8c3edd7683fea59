"""The scoreboard: printed, and kept as JSON and Markdown with the machine and the versions it was taken on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import psutil

from benchmarks.apart import PROJECT
from benchmarks.budgets import BUDGETS
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
HEADS = ("case", "ours", "measured", "rival", "measured", "ours is", "verdict")
BOARD_HEADS = ("budget", "at most, or at least", "measured", "beside", "ours is", "verdict")
QUIET = 0.1  # share of the machine that other work may take before the report warns

_PREFACE = """# Benchmarks

Written by `make bench`; do not edit. The data is generated (`benchmarks/generate.py`): units of the real registry, made-up values.
Figures are medians, ± the distance between the quartiles; ways beside each other ran in turn in one process, so ratios say more than times.
Answers were found equal before they were timed. Where a budget is measured in several ways, the scoreboard shows the worst of them.
Users over websockets come one a second; what they do counts once all are there. Bokeh's protocol is spoken, nothing is drawn."""


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
            [f"python {platform.python_version()}", *(found for name in PACKAGES if (found := _installed(name)))]
        ),
        "commit": commit.stdout.strip() or version("nemwarm"),
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
    return [row.case + (f" ({row.note})" if row.note else ""), *_measured(row), row.verdict]


def _measured(row: Row) -> list[str]:
    if not row.ours:
        return [""] * 5
    theirs = "" if row.theirs is None else _figure(row.theirs, row.their_spread, row.unit)
    return [row.ours, _figure(row.mine, row.spread, row.unit), row.rival, theirs, _ratio(row.mine, row.theirs)]


def _figure(value: float, spread: float, unit: str) -> str:
    number = f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"
    return f"{number} {unit}{f' ± {spread:.0%}' if spread else ''}".strip()


def _ratio(mine: float, theirs: float | None) -> str:
    """Always 1 or more."""
    if not mine or not theirs:
        return ""
    return f"{_times(mine / theirs)} as much" if mine > theirs else f"{_times(theirs / mine)} less"


def _times(ratio: float) -> str:
    return f"{ratio:,.2f} x" if ratio < 10 else f"{ratio:,.0f} x"


def board(rows: Sequence[Row]) -> Iterator[list[str]]:
    """Every budget as words: its worst row, and whether all kept it."""
    for name, budget in BUDGETS.items():
        measured = [row for row in rows if row.budget == name]
        if not measured:
            option = " FULL=1" if budget.least == "full" else ""
            yield [budget.what, str(budget), f"not measured: `make bench{option}`", "", "", ""]
            continue
        worst = max(measured, key=lambda row: row.strain)
        _, mine, rival, theirs, ratio = _measured(worst)
        kept = sum(row.verdict == "pass" for row in measured)
        case = f" ({worst.case})" if len(measured) > 1 else ""
        verdict = "pass" if kept == len(measured) else "MISS"
        counted = f", {kept} of {len(measured)} kept" if len(measured) > 1 else ""
        yield [budget.what, str(budget), f"{mine}{case}", f"{rival} {theirs}".strip(), ratio, verdict + counted]


def print_board(sections: Mapping[str, Section]) -> None:
    """The scoreboard of what was just measured on the console; then what was missed, each row."""
    rows = _rows(sections)
    table = [list(BOARD_HEADS), *(one for one in board(rows) if one[-1])]
    widths = [max(len(one[i]) for one in table) for i in range(len(BOARD_HEADS))]
    print()
    for one in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(one, widths, strict=True)).rstrip())
    for miss in _misses(rows):
        print(f"  missed: {miss}")
    for name, section in sections.items():
        print(f"  {name}: {_quietness(section)}")


def _rows(sections: Mapping[str, Section]) -> list[Row]:
    return [row for section in sections.values() for row in section.rows]


def _misses(rows: Sequence[Row]) -> list[str]:
    return [_miss(row) for row in rows if row.verdict == "MISS"] or ["none"]


def _miss(row: Row) -> str:
    ours, mine, rival, theirs, ratio = _measured(row)
    beside = f" beside {rival} {theirs}: {ratio}" if rival else ""
    return f"{row.case}: {ours} {mine}{beside} (budget {BUDGETS[row.budget]})"


def _quietness(section: Section) -> str:
    on = section.on
    taken = f"Taken {on['taken']} in {section.seconds:.0f} s of nemwarm {on['commit']} by `{on['command']}`"
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
    lines += ["", "## Scoreboard", "", *_table(BOARD_HEADS, board(rows))]
    lines += ["", "Missed:", "", *(f"- {miss}" for miss in _misses(rows))]
    if find_spec("matplotlib"):
        from benchmarks.plots import draw

        for title, picture in draw(rows, folder / "images"):
            lines += ["", f"![{title}](images/{picture.name})"]
    for name, section in ordered.items():
        lines += ["", f"## {SECTIONS[name]}", "", _quietness(section), ""]
        lines += _table(HEADS, map(cells, section.rows))
    (folder / "benchmarks.md").write_text("\n".join(lines) + "\n")


def _table(heads: Sequence[str], rows: Iterator[list[str]]) -> list[str]:
    return [f"| {' | '.join(one)} |" for one in (heads, ["---"] * len(heads), *rows)]
