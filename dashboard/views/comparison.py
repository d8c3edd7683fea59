"""Two ranges of one region: both stacks on one scale, and a table of what changed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dashboard import markup
from dashboard.charts import Chart
from dashboard.definitions import RENEWABLE
from dashboard.layout import Text, View, card, grid, pile
from dashboard.markup import Cell, Field, Row, cell, dollars, gwh, number, percent, plus
from dashboard.parts import compare_bar
from dashboard.tables.comparison import Comparison, DeltaRow, less
from dashboard.tables.generation import Generation
from dashboard.views.generation import show_stack


def _points(change: float | None) -> str:
    return number(None if change is None else change * 100, ",.1f")


def _changed(words: Callable[[float | None], str], change: float | None) -> Cell:
    return plus(change, words(change)), change


def _of(words: Callable[[float | None], str], side: str, name: str) -> Callable[[DeltaRow], Cell]:
    """How a side of a row is told; a dash where it has none."""
    return lambda row: cell(words, row.told(side, name))


COLUMNS: tuple[Field, ...] = (
    ("Fuel", "in the order of the stack", lambda row: markup.named(row.band.colour, row.band.label)),
    ("GWh", "energy in the selected range", _of(gwh, "now", "energy_mwh")),
    ("GWh then", "energy in the range compared with", _of(gwh, "then", "energy_mwh")),
    ("Av. MW", "energy over the hours that have data, selected range", _of(number, "now", "mean_mw")),
    ("Av. MW then", "the same of the other range", _of(number, "then", "mean_mw")),
    (
        "Δ MW",
        "change in average power: ranges of unequal length still compare",
        lambda row: _changed(number, row.change_mw),
    ),
    ("Δ %", "of the average power then", lambda row: _changed(percent, row.change)),
    ("Share", "of the region's own supply, selected range", _of(percent, "now", "share")),
    ("Share then", "the same of the other range", _of(percent, "then", "share")),
    ("Δ pp", "change in share, in percentage points", lambda row: _changed(_points, row.change_share)),
    ("$/MWh", "dispatch-weighted price, selected range", _of(dollars, "now", "dwa_price")),
    ("$/MWh then", "the same of the other range", _of(dollars, "then", "dwa_price")),
    ("Δ $/MWh", "change in dispatch-weighted price", lambda row: _changed(dollars, row.change_price)),
)


def build() -> View:
    """The part, empty."""
    bar, table = Text(), Text()
    power, other = Chart(), Chart()

    def show(tables: Comparison) -> None:
        now, then = tables.now, tables.then
        bar.html = compare_bar(tables.selection.compare, tables.asked)
        top = _one_scale([now, then] if then else [now])
        show_stack(power, now, markup.stretch(now.window), 300, top_range=top)
        if then is None:
            lacking = '<p class="note">Nothing of this range is held: choose another.</p>'
            other.show(markup.header(markup.stretch(tables.asked)), lacking)
            changes = f"<p>{markup.MISSING}</p>"
        else:
            show_stack(other, then, markup.stretch(then.window), 300, note=_reach(tables), top_range=top)
            rows = [markup.told(COLUMNS, row) for row in tables.rows]
            changes = markup.sorted_table(COLUMNS, [*rows, _whole(now, then)], "changes")
        head = markup.header("What changed", "selected range less the other")
        table.html = head + changes + markup.receipt_line(tables.receipts)

    return View(pile(bar, grid(power.card, other.card, card(table, kind="wide"), kind="halves")), show)


def _one_scale(sides: list[Generation]) -> tuple[float, float] | None:
    """Both charts' y axis, so that heights compare; None where units differ or nothing is drawn."""
    if sides[0].stack.unit == "%" or len({side.stack.unit for side in sides}) > 1:
        return None
    tops, bottoms = [0.0], [0.0]
    for side in sides:
        data, below = side.stack.columns, [band.id for band in side.stack.bands if band.below_zero]
        tops += [_extreme(data[name], 1) for name in ("supply", "demand")]
        if below:
            bottoms.append(_extreme(np.sum([data[name] for name in below], axis=0), -1))
    if max(tops) == min(bottoms):
        return None
    return 1.05 * min(bottoms), 1.05 * max(tops)


def _extreme(values: np.ndarray, sign: int) -> float:
    known = values[~np.isnan(values)]
    return sign * float(np.max(sign * known)) if known.size else 0.0


def _reach(tables: Comparison) -> str:
    if tables.then is None or tables.then.window == tables.asked:
        return ""
    part = tables.then.window.hours / tables.asked.hours
    return f'<p class="note">The data reaches over {percent(part, 0)} of the range asked for, {markup.stretch(tables.asked)}.</p>'


def _whole(now: Generation, then: Generation) -> Row:
    """Renewable share and mean price of both ranges."""
    shares, prices = ((getattr(now, name), getattr(then, name)) for name in ("renewable_share", "mean_price"))
    share, paid = less(*shares), less(*prices)
    cells = ["Renewable, mean price", *[""] * 6]
    cells += [f'<span title="{RENEWABLE}">{percent(one)}</span>' for one in shares] + [plus(share, _points(share))]
    cells += [*map(dollars, prices), plus(paid, dollars(paid))]
    return 'class="total"', [(html, None) for html in cells]
