"""The scoreboard as pictures."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib as mpl

from benchmarks.measure import Row

mpl.use("svg")
mpl.rcParams |= {
    "svg.fonttype": "none", "svg.hashsalt": "nemwarm", "font.family": "sans-serif", "font.size": 9,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25,
}  # fmt: skip

from matplotlib import pyplot as plt  # noqa: E402 - the back end is chosen above
from matplotlib.axes import Axes  # noqa: E402

_QUERY = "generation_by_fuel"


def draw(rows: Sequence[Row], folder: Path) -> Iterator[tuple[str, Path]]:
    """A title and an SVG per picture that ``rows`` have something for."""
    folder.mkdir(exist_ok=True)
    for name, title, fill in (
        ("reads", f"Milliseconds of a reading of {_QUERY}, by days asked", _reads),
        ("ticks", "Milliseconds of taking in five new minutes, by days of history", _ticks),
        ("load", "Milliseconds until a tab switch is answered (95 in 100), by users", _load),
    ):
        figure, axes = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
        if fill(axes, rows):
            axes.set_title(title, loc="left", fontsize=10)
            path = folder / f"bench-{name}.svg"
            figure.savefig(path, metadata={"Date": None})
            yield title, path
        plt.close(figure)


def _reads(axes: Axes, rows: Sequence[Row]) -> bool:
    lines: dict[str, dict[int, float]] = defaultdict(dict)
    for row in rows:
        days = re.match(rf"{_QUERY}, (\d+) d(?: \(of \d+ units\))? at ", row.case)
        if days:
            lines[row.ours][int(days[1])] = row.mine
            if row.rival and row.theirs is not None:
                lines[row.rival][int(days[1])] = row.theirs
        days = re.match(r"energy by fuel, (\d+) d at ", row.case)
        if days and row.theirs is not None:
            lines[f"{row.rival}, energy alone"][int(days[1])] = row.theirs
    _lines(axes, lines, "days")
    axes.set_yscale("log")
    axes.set_xscale("log")
    return bool(lines)


def _ticks(axes: Axes, rows: Sequence[Row]) -> bool:
    line: dict[int, float] = {}
    for row in rows:
        days = re.match(r"five new minutes, every query, (\d+) d", row.case)
        if days:
            line[int(days[1])] = row.mine
    _lines(axes, {"land and warm every query": line}, "days of history")
    axes.set_ylim(bottom=0)
    return len(line) > 1


def _load(axes: Axes, rows: Sequence[Row]) -> bool:
    lines: dict[str, dict[int, float]] = defaultdict(dict)
    for row in rows:
        crowd = re.match(r"(\d+) users?, (\d+) process(?:es)?: tab switch, p95", row.case)
        if crowd:
            lines[f"tab switch, {crowd[2]} process{'' if crowd[2] == '1' else 'es'}"][int(crowd[1])] = row.mine
    _lines(axes, lines, "users")
    axes.set_ylim(bottom=0)
    return any(len(line) > 1 for line in lines.values())


def _lines(axes: Axes, lines: dict[str, dict[int, float]], along: str) -> None:
    for name, points in lines.items():
        axes.plot(*zip(*sorted(points.items()), strict=True), marker="o", markersize=3, label=name) if points else None
    axes.set_xlabel(along)
    if any(lines.values()):
        axes.legend(frameon=False, fontsize=8)
