"""The Station Analysis tab: one station's power and price, its numbers, and the league of capacity factors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape

import panel as pn

from dashboard import markup
from dashboard.charts import station_over_price
from dashboard.layout import View, card, chart, grid
from dashboard.palette import EDGES, REGION_NAMES, fuel_colour, fuel_label
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
        first = tables.chosen[0]
        label = f"{', '.join(dict.fromkeys(fuel_label(row.fuel_id) for row in tables.chosen))} · {REGION_NAMES[first.region_id]}"
        head.object = markup.header(
            first.station_name,
            label,
            f"<small>{', '.join(duid for row in tables.chosen for duid in row.duids)}</small>",
        )
        facts.object = f'<div class="facts">{"".join(_facts(tables))}</div>'
        colour = fuel_colour(first.fuel_id)
        form = (colour, bool((tables.series["charge_mw"] != 0).any()))
        power.show(
            form, tables.series, partial(station_over_price, colour=colour, edge=EDGES.get(first.fuel_id, colour))
        )
        receipt.object = markup.receipt_line(tables.receipts[:2])
        stretch = f"{len(tables.league)} in {REGION_NAMES[tables.region]}, {markup.moment(tables.window.start)} to {markup.moment(tables.window.end)}"
        table.object = markup.header("League by capacity factor", stretch) + _league(tables)
        table_receipt.object = markup.receipt_line(tables.receipts[2:])

    return View(
        grid(
            card(search, head, facts, power.pane, receipt, kind="wide"),
            card(table, table_receipt, kind="wide"),
            kind="one",
        ),
        show,
    )


def _facts(tables: Stations) -> list[str]:
    rows = tables.chosen
    one = rows[0] if len(rows) == 1 else None
    energy = sum(row.energy_mwh or 0.0 for row in rows)
    revenue = sum(row.revenue_aud or 0.0 for row in rows)
    return [
        _fact("Capacity", markup.number(sum(row.capacity_mw or 0.0 for row in rows) or None, unit=" MW")),
        _fact("Energy", markup.number(energy / 1000, ",.1f", " GWh")),
        _fact("Capacity factor", markup.percent(one.capacity_factor if one else None)),
        _fact("Revenue", markup.dollars(revenue / 1e6) + " m"),
        _fact("Dispatch-weighted price", markup.dollars(one.dwa_price if one else None) + "/MWh"),
        _fact("Capture rate", markup.percent(tables.capture_rate, 0)),
        _fact("Running", markup.number(max(row.running_hours for row in rows), ",.0f", " h")),
    ]


def _fact(name: str, value: str) -> str:
    return f"<div><span>{name}</span><b>{value}</b></div>"


def _league(tables: Stations) -> str:
    chosen = tables.chosen[0].station_name
    rows = [(_attributes(row, row.station_name == chosen), _cells(row)) for row in tables.league]
    return f'<nw-table class="tall" filter="Filter by station, DUID or fuel">{markup.table(HEADS, rows, kind="league")}</nw-table>'


def _attributes(row: StationRow, chosen: bool) -> str:
    pick = escape(f"station={row.station_name}", quote=True)
    return (
        f'class="{"chosen" if chosen else ""}" data-pick="{pick}" data-find="{escape(" ".join(row.duids), quote=True)}"'
    )


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
        (bar if factor is not None else '<small class="flag">capacity unknown</small>', factor),
        (markup.number(row.capacity_mw), row.capacity_mw),
        (markup.number(None if row.energy_mwh is None else row.energy_mwh / 1000, ",.1f"), row.energy_mwh),
        (markup.dollars(row.dwa_price), row.dwa_price),
        (markup.number(None if row.revenue_aud is None else row.revenue_aud / 1e6, ",.2f"), row.revenue_aud),
        (markup.number(row.max_mw), row.max_mw),
    ]
