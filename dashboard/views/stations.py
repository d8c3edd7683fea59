"""The Station Analysis tab: one station's power and price, its numbers, and the league of capacity factors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape

import panel as pn

from dashboard import markup
from dashboard.charts import station_over_price
from dashboard.layout import View, card, chart, grid
from dashboard.palette import CAPACITY, EDGES, REGION_NAMES, fuel_colour, fuel_label
from dashboard.tables.stations import StationRow, Stations

HEADS = (
    ("Station", "click a row to draw it"),
    ("Fuel", ""),
    ("Region", ""),
    (
        "Cap. factor",
        "energy over capacity times the hours registered; unknown capacity has none; never clipped, above 100 % is flagged",
    ),
    ("MW", "capacity: maximum, else registered, as of the range's end"),
    ("GWh", "energy: mean power over each interval times its hours"),
    ("$/MWh", "dispatch-weighted price: market value over the energy that has a price"),
    ("$ million", "energy times the region's price, less the cost of charging; before loss factors, FCAS and hedges"),
    ("Peak MW", "highest mean power of an interval"),
)


def build(choose: Callable[..., None]) -> View:
    """The tab, empty; ``choose`` changes the session's selection."""
    head, facts, receipt, table, table_receipt = (markup.pane() for _ in range(5))
    power = chart()
    search = pn.widgets.AutocompleteInput(
        placeholder="Find a station", min_characters=1, case_sensitive=False, search_strategy="includes", restrict=True, width=320,
        margin=(0, 0, 8, 0), stylesheets=[markup.asset("controls.css")],
    )  # fmt: skip
    search.param.watch(lambda event: choose(station=event.new) if event.new else None, "value")

    def show(tables: Stations) -> None:
        if search.options != tables.names:
            search.options = tables.names
        head.object, facts.object = _head(tables.chosen), _facts(tables)
        colour = fuel_colour(tables.chosen.fuel_id) if tables.chosen else CAPACITY
        edge = EDGES.get(tables.chosen.fuel_id, colour) if tables.chosen else colour
        form = (colour, bool((tables.series["charge_mw"] != 0).any()))
        power.show(form, tables.series, partial(station_over_price, colour=colour, edge=edge))
        receipt.object = markup.receipt_line(tables.receipts[:2])
        table.object = markup.header("League by capacity factor", _stretch(tables)) + _league(tables)
        table_receipt.object = markup.receipt_line(tables.receipts[2:])

    return View(
        grid(
            card(search, head, facts, power.pane, receipt, kind="wide"),
            card(table, table_receipt, kind="wide"),
            kind="one",
        ),
        show,
    )


def _head(chosen: StationRow | None) -> str:
    if chosen is None:
        return markup.header("No station reported in this range")
    place = f"{fuel_label(chosen.fuel_id)} · {REGION_NAMES.get(chosen.region_id, chosen.region_id)}"
    return markup.header(chosen.station_name, place, f"<small>{escape(', '.join(chosen.duids))}</small>")


def _stretch(tables: Stations) -> str:
    when = f"{markup.moment(tables.window.start)} to {markup.moment(tables.window.end)}"
    return f"{len(tables.league)} in {REGION_NAMES[tables.region]}, {when}"


def _facts(tables: Stations) -> str:
    row = tables.chosen
    if row is None:
        return ""
    running = "Running" if len(row.duids) == 1 else "Running, unit-hours"
    facts = [
        ("Capacity", markup.number(row.capacity_mw, unit=" MW")),
        ("Energy", markup.number(_scaled(row.energy_mwh, 1e3), ",.1f", " GWh")),
        ("Capacity factor", markup.percent(row.capacity_factor)),
        ("Revenue", markup.dollars(_scaled(row.revenue_aud, 1e6), ",.2f") + " m"),
        ("Dispatch-weighted price", markup.dollars(row.dwa_price) + "/MWh"),
        ("Capture rate", markup.percent(tables.capture_rate, 0)),
        (running, markup.number(row.running_hours, unit=" h")),
    ]
    return (
        f'<div class="facts">{"".join(f"<div><span>{name}</span><b>{value}</b></div>" for name, value in facts)}</div>'
    )


def _scaled(value: float | None, by: float) -> float | None:
    return None if value is None else value / by


def _league(tables: Stations) -> str:
    chosen = tables.chosen
    rows = [
        (_attributes(row, chosen is not None and row.station_name == chosen.station_name), _cells(row))
        for row in tables.league
    ]
    return f'<nw-table class="tall" filter="Filter by station, DUID or fuel">{markup.table(HEADS, rows, kind="league")}</nw-table>'


def _attributes(row: StationRow, chosen: bool) -> str:
    pick = escape(f"station={row.station_name}")
    return f'class="{"chosen" if chosen else ""}" data-pick="{pick}" data-find="{escape(" ".join(row.duids))}"'


def _cells(row: StationRow) -> list[tuple[str, object]]:
    factor, colour = row.capacity_factor, fuel_colour(row.fuel_id)
    width = min(max(factor or 0.0, 0.0), 1.0) * 100
    flag = (
        ' <small class="flag" title="above 100 % of the registered capacity">over 100 %</small>'
        if factor and factor > 1
        else ""
    )
    bar = (
        f'<span class="bar"><i style="width:{width:.1f}%;background:{colour}"></i></span>{markup.percent(factor)}{flag}'
    )
    return [
        (escape(row.station_name), row.station_name),
        (f"{markup.swatch(colour)}{fuel_label(row.fuel_id)}", fuel_label(row.fuel_id)),
        (row.region_id, row.region_id),
        (bar if factor is not None else _no_factor(row), factor),
        (markup.number(row.capacity_mw), row.capacity_mw),
        (markup.number(_scaled(row.energy_mwh, 1e3), ",.1f"), row.energy_mwh),
        (markup.dollars(row.dwa_price), row.dwa_price),
        (markup.number(_scaled(row.revenue_aud, 1e6), ",.2f"), row.revenue_aud),
        (markup.number(row.max_mw), row.max_mw),
    ]


def _no_factor(row: StationRow) -> str:
    return '<small class="flag">capacity unknown</small>' if row.capacity_mw is None else markup.MISSING
