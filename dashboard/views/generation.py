"""The Generation tab: the stack over the range with its price strip and a table of bands; its other views by module."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from dashboard import markup
from dashboard.bands import GROUPING_WORDS, Band
from dashboard.definitions import DWA, ENERGY, FACTOR, RENEWABLE, SHARE, VALUE
from dashboard.layout import Text, View, card, chart, grid
from dashboard.palette import PROVISIONAL, REGION_NAMES
from dashboard.parts import in_parts, part_of
from dashboard.stacks import stack_over_price
from dashboard.tables.generation import Generation, Supply, signed
from dashboard.tables.supply import FuelRow, Stack
from nem.regions import NEM

UNIT_WORDS = {"mw": "MW", "energy": "Energy", "share": "Share"}
STACK_WORDS = {"MW": "mean MW", "MWh": "MWh per bucket", "GWh": "GWh per bucket", "%": "% of the region's own supply"}
HEADS = (
    ("Fuel", "in the order of the stack; click a colour to hide its band"),
    ("GWh", f"{ENERGY}; loads and exports are negative"),
    ("Share", f"{SHARE}; loads and exchanges have none"),
    ("Av. MW", "energy over the hours of the range that have data"),
    ("CF", f"capacity factor: {FACTOR}. Storage has none: what it gives back it has drawn"),
    ("$/MWh", f"{DWA}; for a load, what it paid"),
    ("$m", f"{VALUE}; what a load paid is negative"),
)
EXCHANGE_TIP = "from the region's net interchange, not from generation: it has no fuel, price or value of its own"


def build(choose: Callable[..., None]) -> View:
    """The tab, empty; ``choose`` changes the session's selection."""
    return in_parts("generation", choose, switches=_switches, own={"generation": _build_stack})


def _switches(tables: Any) -> str:
    """The groupings and units of the part that is open."""
    bar = ""
    if hasattr(tables, "grouping"):
        bar += markup.switch("Grouping", "grouping", GROUPING_WORDS, tables.grouping)
    if hasattr(tables, "unit"):
        words = {unit: word for unit, word in UNIT_WORDS.items() if part_of(tables) != "daytime" or unit != "energy"}
        bar += markup.switch("Unit", "unit", words, tables.unit)
    return bar


def _build_stack() -> View:
    head, receipt, fuels = (Text() for _ in range(3))
    power = chart()

    def show(tables: Generation) -> None:
        supply = tables.supply
        head.html = stack_head(supply, f"Generation, {REGION_NAMES[supply.region]}")
        show_stack(power, supply, height=430)
        receipt.html = stack_note(supply.stack) + markup.receipt_line(supply.receipts[:2])
        told = markup.receipt_line((supply.receipts[0], supply.receipts[2]))
        fuels.html = markup.header("By fuel", markup.stretch(supply.window)) + _fuels(supply) + told

    return View(grid(card(head, power, receipt), card(fuels), kind="three-two"), show)


def show_stack(power: Any, supply: Supply, *, height: int, top_range: tuple[float, float] | None = None) -> None:
    """Draw a supply's stack into a chart."""
    shown, label = supply.stack, price_label(supply.region)
    draw = partial(stack_over_price, shown=shown, price_label=label, height=height, top_range=top_range)
    power.show((shown.bands, shown.unit, label, top_range), shown.columns, draw)


def price_label(region: str) -> str:
    """What the price of a region is called."""
    return "Price (demand-weighted)" if region == NEM else "Price"


def stack_head(supply: Supply, title: str) -> str:
    """The head of a stack's card: unit, renewable share, mean price."""
    label = price_label(supply.region).lower().replace("price", "mean price", 1)
    aside = (
        f'<span title="{RENEWABLE}">renewable <b>{markup.percent(supply.renewable_share)}</b></span>'
        f"<span>{label} <b>{markup.dollars(supply.mean_price)}</b>/MWh</span>"
    )
    return markup.header(title, STACK_WORDS[supply.stack.unit], aside)


def stack_note(shown: Stack) -> str:
    """What hatching and the thick price line mean, where any is drawn."""
    parts = []
    if (shown.columns["marked"] > 0).any():
        parts.append('<i class="hatched"></i>partial bucket, or readings still provisional')
    if np.isfinite(shown.columns["unconfirmed"]).any():
        parts.append(f"{markup.swatch(PROVISIONAL)}price not confirmed, or under review")
    return "".join(f'<p class="note">{part}</p>' for part in parts)


def _fuels(supply: Supply) -> str:
    own = [row for row in supply.rows if row.band.supplies]
    rows = [row_of(row) for row in own]
    rows.append(_total(own))
    rows += [row_of(row) for row in supply.rows if not row.band.supplies]
    return f"<nw-table>{markup.table(HEADS, rows, kind='fuels')}</nw-table>"


def row_of(row: FuelRow) -> tuple[str, list[tuple[str, object]]]:
    """A row of the table of bands; what stands below zero is negative."""
    is_exchange = row.band.kind == "exchange"
    value, mean = signed(row, row.market_value_aud), signed(row, row.mean_mw)
    energy = row.sign * row.energy_mwh
    cells: list[tuple[str, object]] = [
        (f"{hide_swatch(row.band)}{row.band.label}", row.band.label),
        (markup.number(energy, ",.1f", per=1e3), energy),
        (markup.bar(row.share, row.band.colour), row.share),
        (markup.number(mean), mean),
        (markup.factor(row.capacity_factor), row.capacity_factor),
        (markup.dollars(row.dwa_price), row.dwa_price),
        (markup.number(value, ",.2f", per=1e6), value),
    ]
    kind = "flow" if is_exchange else "" if row.band.supplies else "load"
    tip = f' title="{EXCHANGE_TIP}"' if is_exchange else ""
    return f'class="{kind}" data-band="{row.band.id}"{tip}', cells


def hide_swatch(band: Band) -> str:
    """A band's colour, which hides it from the stack when clicked."""
    label = f"Show {band.label} in the chart"
    return f'<nw-hide class="swatch" band="{band.id}" aria-label="{label}" style="background:{band.colour}"></nw-hide>'


def _total(own: list[FuelRow]) -> tuple[str, list[tuple[str, object]]]:
    """The sum of the region's own supply; its price is over the energy that has one."""
    energy, mean = sum(row.energy_mwh for row in own), sum(row.mean_mw or 0.0 for row in own)
    priced = [row for row in own if row.market_value_aud is not None]
    value = sum(row.market_value_aud or 0.0 for row in priced)
    cells = [
        "Supply",
        markup.number(energy, ",.1f", per=1e3),
        "",
        markup.number(mean),
        "",
        "",
        markup.number(value, ",.2f", per=1e6) if priced else markup.MISSING,
    ]
    return 'class="total"', [(cell, None) for cell in cells]
