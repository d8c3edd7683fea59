"""The scoreboard as pictures: rows that name one are its points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib as mpl

from benchmarks.budgets import BUDGETS
from benchmarks.measure import Row

mpl.use("svg")
mpl.rcParams |= {
    "svg.fonttype": "none", "svg.hashsalt": "nemwarm", "font.family": "sans-serif", "font.size": 9,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25,
}  # fmt: skip

from matplotlib import pyplot as plt  # noqa: E402 - the back end is chosen above

# Title, what is along it, whether both axes are logarithmic, and the budget that is drawn across.
PICTURES = {
    "reads": ("A reading of generation_by_fuel, ms", "days asked", True, ""),
    "ticks": ("Taking in five new minutes, every query, ms", "days of history", False, "tick"),
    "load": ("A tab switch, the slowest 5 in 100, ms", "users", False, "crowd"),
}


def draw(rows: Sequence[Row], folder: Path) -> Iterator[tuple[str, Path]]:
    """A title and an SVG per picture that ``rows`` have points for."""
    folder.mkdir(exist_ok=True)
    for name, (title, along, is_logarithmic, budget) in PICTURES.items():
        lines: dict[str, dict[float, float]] = defaultdict(dict)
        for row in (row for row in rows if row.picture == name):
            lines[row.ours][row.along] = row.mine
            if row.theirs is not None:
                lines[row.rival][row.along] = row.theirs
        if max(map(len, lines.values()), default=0) > 1:
            path = folder / f"bench-{name}.svg"
            _draw(path, lines, title, along, is_logarithmic, budget)
            yield title, path


def _draw(
    path: Path, lines: dict[str, dict[float, float]], title: str, along: str, is_logarithmic: bool, budget: str
) -> None:
    figure, axes = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
    for name, points in lines.items():
        axes.plot(*zip(*sorted(points.items()), strict=True), marker="o", markersize=3, label=name)
    places = sorted({place for points in lines.values() for place in points})
    if budget:
        axes.axhline(BUDGETS[budget].bound, color="grey", linestyle=":", label="budget")
    if is_logarithmic:
        axes.set_xscale("log")
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_xticks(places, [f"{place:g}" for place in places], minor=False)
    axes.minorticks_off()
    axes.set_xlabel(along)
    axes.set_title(title, loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
