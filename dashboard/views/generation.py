"""Generation's first part: the stack over the range with its price strip, and a table of bands."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard import markup
from dashboard.bands import Band
from dashboard.charts import Chart
from dashboard.definitions import DWA, ENERGY, FACTOR, RENEWABLE, SHARE, VALUE
from dashboard.layout import Text, View, card, grid
from dashboard.markup import Field, Row, gwh, in_millions, number, of
from dashboard.palette import PROVISIONAL, REGION_NAMES
from dashboard.stacks import stack_over_price
from dashboard.tables.generation import Generation
from dashboard.tables.supply import FuelRow, Stack
from nem.regions import NEM

STACK_WORDS = {"MW": "mean MW", "MWh": "MWh per bucket", "GWh": "GWh per bucket", "%": "% of the region's own supply"}
COLUMNS: tuple[Field, ...] = (
    (
        "Fuel",
        "in the order of the stack; click a colour to hide its band",
        lambda row: (f"{hide_swatch(row.band)}{row.band.label}", row.band.label),
    ),
    ("GWh", f"{ENERGY}; loads and exports are negative", of(gwh, "energy_mwh")),
    (
        "Share",
        f"{SHARE}; loads and exchanges have none",
        lambda row: (markup.bar(row.share, row.band.colour), row.share),
    ),
    ("Av. MW", "energy over the hours of the range that have data", of(number, "mean_mw")),
    (
        "CF",
        f"capacity factor: {FACTOR}. Storage has none: what it gives back it has drawn",
        of(markup.factor, "capacity_factor"),
    ),
    ("$/MWh", f"{DWA}; for a load, what it paid", of(markup.dollars, "dwa_price")),
    ("$m", f"{VALUE}; what a load paid is negative", of(in_millions, "market_value_aud")),
)
EXCHANGE_TIP = "from the region's net interchange, not from generation: it has no fuel, price or value of its own"


def build() -> View:
    """The part, empty."""
    power, fuels = Chart(), Text()

    def show(tables: Generation) -> None:
        show_stack(power, tables, f"Generation, {REGION_NAMES[tables.selection.region]}", 430)
        told = markup.receipt_line((tables.receipts[0], tables.receipts[2]))
        fuels.html = markup.header("By fuel", markup.stretch(tables.window)) + _fuels(tables) + told

    return View(grid(power.card, card(fuels), kind="three-two"), show)


def show_stack(
    power: Chart,
    tables: Generation,
    title: str,
    height: int,
    *,
    note: str = "",
    top_range: tuple[float, float] | None = None,
) -> None:
    """Draw a region's stack under its unit, renewable share and mean price."""
    shown = tables.stack
    mean = price_label(tables.selection.region).lower().replace("price", "mean price", 1)
    aside = (
        f'<span title="{RENEWABLE}">renewable <b>{markup.percent(tables.renewable_share)}</b></span>'
        f"<span>{mean} <b>{markup.dollars(tables.mean_price)}</b>/MWh</span>"
    )
    power.draw(
        markup.header(title, STACK_WORDS[shown.unit], aside),
        note + stack_note(shown) + markup.receipt_line(tables.receipts[:2]),
        stack_over_price,
        shown.columns,
        **stack_form(shown, tables.selection.region, height),
        top_range=top_range,
    )


def stack_form(shown: Stack, region: str, height: int) -> dict[str, Any]:
    """How a stack is drawn, whatever its numbers."""
    return {"bands": shown.bands, "unit": shown.unit, "price_label": price_label(region), "height": height}


def price_label(region: str) -> str:
    """What the price of a region is called."""
    return "Price (demand-weighted)" if region == NEM else "Price"


def stack_note(shown: Stack) -> str:
    """What hatching and the thick price line mean, where any is drawn."""
    parts = []
    if (shown.columns["marked"] > 0).any():
        parts.append('<i class="hatched"></i>partial bucket, or readings still provisional')
    if np.isfinite(shown.columns["unconfirmed"]).any():
        parts.append(f"{markup.swatch(PROVISIONAL)}price not confirmed, or under review")
    return "".join(f'<p class="note">{part}</p>' for part in parts)


def _fuels(tables: Generation) -> str:
    own, others = ([row for row in tables.rows if row.band.supplies == supplies] for supplies in (True, False))
    rows = [*map(row_of, own), _total(own), *map(row_of, others)]
    return markup.sorted_table(COLUMNS, rows, "fuels")


def row_of(row: FuelRow) -> Row:
    """A row of the table of bands; what stands below zero is negative."""
    is_exchange = row.band.kind == "exchange"
    kind = "flow" if is_exchange else "" if row.band.supplies else "load"
    tip = f' title="{EXCHANGE_TIP}"' if is_exchange else ""
    return markup.told(COLUMNS, row, f'class="{kind}" data-band="{row.band.id}"{tip}')


def hide_swatch(band: Band) -> str:
    """A band's colour, which hides it from the stack when clicked."""
    label = f"Show {band.label} in the chart"
    return f'<nw-hide class="swatch" band="{band.id}" aria-label="{label}" style="background:{band.colour}"></nw-hide>'


def _total(own: list[FuelRow]) -> Row:
    """The sum of the region's own supply; its price is over the energy that has one."""
    energy, mean = sum(row.energy_mwh for row in own), sum(row.mean_mw or 0.0 for row in own)
    values = [row.market_value_aud for row in own if row.market_value_aud is not None]
    cells = ("Supply", gwh(energy), "", number(mean), "", "", in_millions(sum(values) if values else None))
    return 'class="total"', [(html, None) for html in cells]
