"""The Generation tab: the stack over the range with its price strip, and a table of fuels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dashboard import markup
from dashboard.charts import stack_over_price
from dashboard.layout import View, card, chart, grid
from dashboard.palette import REGION_NAMES, fuel_colour, fuel_label
from dashboard.tables.generation import Generation
from dashboard.tables.shape import FuelRow
from nem.fuels import FUELS
from nem.regions import NEM

HEADS = (
    ("Fuel", "in the order of the stack"),
    ("GWh", "energy: mean power over each interval times its hours"),
    (
        "Share",
        "of all supply within the region: generation, rooftop and storage discharge; loads and exchanges have none",
    ),
    ("Av. MW", "energy over the hours of the range"),
    (
        "CF",
        "capacity factor: energy over capacity times the hours registered; units of unknown capacity are left out; never clipped",
    ),
    ("$/MWh", "dispatch-weighted price: market value over the energy that has a price; for a load, what it paid"),
    ("$m", "energy times the price it is settled at; before loss factors, FCAS and hedges"),
)


def build(_: Callable[..., None]) -> View:
    """The tab, empty; nothing in it changes the session's selection."""
    head, receipt, fuels, fuels_receipt = (markup.pane() for _ in range(4))
    stack = chart()

    def show(tables: Generation) -> None:
        label = "Price (demand-weighted)" if tables.region == NEM else "Price"
        head.object = markup.header(f"Generation, {REGION_NAMES[tables.region]}", "mean MW", _headline(tables, label))
        draw = partial(stack_over_price, fuels=tables.stack.fuels, price_label=label, height=420)
        stack.show((tables.stack.fuels, label), tables.stack.columns, draw)
        receipt.object = markup.receipt_line(tables.receipts[:2])
        fuels.object = markup.header(
            "By fuel", f"{markup.moment(tables.window.start)} to {markup.moment(tables.window.end)}"
        ) + _fuels(tables)
        fuels_receipt.object = markup.receipt_line((tables.receipts[0], tables.receipts[2]))

    return View(grid(card(head, stack.pane, receipt), card(fuels, fuels_receipt), kind="three-two"), show)


def _headline(tables: Generation, label: str) -> str:
    return (
        f"<span>renewable <b>{markup.percent(tables.renewable_share)}</b></span>"
        f"<span>{label.lower().replace('price', 'mean price', 1)} <b>{markup.dollars(tables.mean_price)}</b>/MWh</span>"
    )


def _fuels(tables: Generation) -> str:
    supply = [row for row in tables.fuels if row.share is not None]
    loads = [row for row in tables.fuels if row.share is None]
    rows = [_row(row) for row in supply]
    rows.append(_total("Supply", sum(row.energy_mwh for row in supply), tables))
    rows += [_flow("imports", tables)] if tables.flows_mwh.get("imports") else []
    rows += [_row(row) for row in loads]
    rows += [_flow("exports", tables)] if tables.flows_mwh.get("exports") else []
    return f"<nw-table>{markup.table(HEADS, rows, kind='fuels')}</nw-table>"


def _row(row: FuelRow) -> tuple[str, list[tuple[str, object]]]:
    sign = -1 if row.fuel_id in FUELS and FUELS[row.fuel_id].kind == "load" else 1
    value = None if row.market_value_aud is None else sign * row.market_value_aud
    mean = None if row.mean_mw is None else sign * row.mean_mw
    return "", [
        (f"{markup.swatch(fuel_colour(row.fuel_id))}{fuel_label(row.fuel_id)}", fuel_label(row.fuel_id)),
        (markup.number(sign * row.energy_mwh / 1000, ",.1f"), sign * row.energy_mwh),
        (_bar(row.share, fuel_colour(row.fuel_id)), row.share),
        (markup.number(mean), mean),
        (markup.percent(row.capacity_factor), row.capacity_factor),
        (markup.dollars(row.dwa_price), row.dwa_price),
        (markup.number(None if value is None else value / 1e6, ",.2f"), value),
    ]


def _bar(share: float | None, colour: str) -> str:
    if share is None:
        return markup.MISSING
    return (
        f'<span class="bar"><i style="width:{share * 100:.1f}%;background:{colour}"></i></span>{markup.percent(share)}'
    )


def _total(name: str, energy_mwh: float, tables: Generation) -> tuple[str, list[tuple[str, object]]]:
    hours = tables.window.hours
    priced = [row for row in tables.fuels if row.share is not None and row.market_value_aud is not None]
    value = sum(row.market_value_aud or 0.0 for row in priced)
    cells = [
        name,
        markup.number(energy_mwh / 1000, ",.1f"),
        "",
        markup.number(energy_mwh / hours),
        "",
        "",
        markup.number(value / 1e6, ",.2f"),
    ]
    return 'class="total"', [(cell, None) for cell in cells]


def _flow(name: str, tables: Generation) -> tuple[str, list[tuple[str, object]]]:
    energy = tables.flows_mwh[name] * (-1 if name == "exports" else 1)
    cells = [
        f"{markup.swatch(fuel_colour(name))}{fuel_label(name)}",
        markup.number(energy / 1000, ",.1f"),
        markup.MISSING,
        markup.number(energy / tables.window.hours),
        *[markup.MISSING] * 3,
    ]
    return 'class="flow"', [(cell, None) for cell in cells]
