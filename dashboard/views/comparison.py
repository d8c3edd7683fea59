"""Two ranges of one region: both stacks on one scale, and a table of what changed."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from dashboard import markup
from dashboard.definitions import RENEWABLE
from dashboard.layout import Text, View, card, chart, grid, pile
from dashboard.parts import compare_bar
from dashboard.tables.comparison import Comparison, DeltaRow
from dashboard.tables.generation import Supply, signed
from dashboard.views.generation import show_stack, stack_head, stack_note

HEADS = (
    ("Fuel", "in the order of the stack"),
    ("GWh", "energy in the selected range"),
    ("GWh then", "energy in the range compared with"),
    ("Av. MW", "energy over the hours that have data, selected range"),
    ("Av. MW then", "the same of the other range"),
    ("Δ MW", "change in average power: ranges of unequal length still compare"),
    ("Δ %", "of the average power then"),
    ("Share", "of the region's own supply, selected range"),
    ("Share then", "the same of the other range"),
    ("Δ pp", "change in share, in percentage points"),
    ("$/MWh", "dispatch-weighted price, selected range"),
    ("$/MWh then", "the same of the other range"),
    ("Δ $/MWh", "change in dispatch-weighted price"),
)


def build(_: Callable[..., None]) -> View:
    """The view, empty."""
    bar, head, receipt, then_head, then_receipt, table = (Text() for _ in range(6))
    power, then_power = chart(), chart()

    def show(tables: Comparison) -> None:
        bar.html = compare_bar(tables.compare, tables.asked)
        sides = [tables.now] + ([tables.then] if tables.then else [])
        top = _one_scale(sides)
        head.html = stack_head(tables.now, markup.stretch(tables.now.window))
        show_stack(power, tables.now, height=300, top_range=top)
        receipt.html = stack_note(tables.now.stack) + markup.receipt_line(tables.now.receipts[:2])
        then_power.model.visible = tables.then is not None
        if tables.then is None:
            then_head.html = markup.header(markup.stretch(tables.asked))
            then_receipt.html = '<p class="note">Nothing of this range is held: choose another.</p>'
        else:
            then_head.html = stack_head(tables.then, markup.stretch(tables.then.window))
            show_stack(then_power, tables.then, height=300, top_range=top)
            then_receipt.html = (
                _reach(tables) + stack_note(tables.then.stack) + markup.receipt_line(tables.then.receipts[:2])
            )
        table.html = (
            markup.header("What changed", "selected range less the other")
            + _table(tables)
            + markup.receipt_line(tables.receipts)
        )

    cards = grid(
        card(head, power, receipt),
        card(then_head, then_power, then_receipt),
        card(table, kind="wide"),
        kind="halves",
    )
    return View(pile(bar, cards), show)


def _one_scale(sides: list[Supply]) -> tuple[float, float] | None:
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
    return f'<p class="note">The data reaches over {markup.percent(part, 0)} of the range asked for, {markup.stretch(tables.asked)}.</p>'


def _table(tables: Comparison) -> str:
    if tables.then is None:
        return f"<p>{markup.MISSING}</p>"
    rows = [("", _cells(row)) for row in tables.rows]
    rows.append(('class="total"', _whole(tables.now, tables.then)))
    return f"<nw-table>{markup.table(HEADS, rows, kind='changes')}</nw-table>"


def _cells(row: DeltaRow) -> list[tuple[str, object]]:
    cells: list[tuple[str, object]] = [(f"{markup.swatch(row.band.colour)}{row.band.label}", row.band.label)]
    sides = (row.now, row.then)
    for side in sides:
        energy = signed(side, side.energy_mwh) if side else None
        cells.append((markup.number(energy, ",.1f", per=1e3), energy))
    for side in sides:
        mean = signed(side, side.mean_mw) if side else None
        cells.append((markup.number(mean), mean))
    cells.append((plus(row.change_mw, markup.number(row.change_mw)), row.change_mw))
    cells.append((plus(row.change, markup.percent(row.change)), row.change))
    cells += [(markup.percent(side.share if side else None), side.share if side else None) for side in sides]
    points = None if row.change_share is None else row.change_share * 100
    cells.append((plus(points, markup.number(points, ",.1f")), points))
    cells += [(markup.dollars(side.dwa_price if side else None), side.dwa_price if side else None) for side in sides]
    cells.append((plus(row.change_price, markup.dollars(row.change_price)), row.change_price))
    return cells


def plus(value: float | None, text: str) -> str:
    """A change with its sign: the number's own minus, or a plus unless it rounds to nothing."""
    return f"+{text}" if value is not None and value > 0 and re.search("[1-9]", text) else text


def _whole(now: Supply, then: Supply) -> list[tuple[str, object]]:
    """Renewable share and mean price of both ranges."""
    change = None
    if now.renewable_share is not None and then.renewable_share is not None:
        change = 100 * (now.renewable_share - then.renewable_share)
    paid = None if now.mean_price is None or then.mean_price is None else now.mean_price - then.mean_price
    shares = [f'<span title="{RENEWABLE}">{markup.percent(side.renewable_share)}</span>' for side in (now, then)]
    prices = [markup.dollars(side.mean_price) for side in (now, then)]
    cells = ["Renewable, mean price", *[""] * 6, *shares, plus(change, markup.number(change, ",.1f"))]
    cells += [*prices, plus(paid, markup.dollars(paid))]
    return [(cell, None) for cell in cells]
