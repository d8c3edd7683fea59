"""Station Analysis, first part: a station's power under its capacity over its region's price, and its numbers."""

from __future__ import annotations

from html import escape

import numpy as np

from dashboard import markup
from dashboard.charts import Chart
from dashboard.definitions import CAPTURE, DWA, ENERGY, FACTOR, VALUE
from dashboard.layout import View, grid
from dashboard.palette import EDGES, REGION_NAMES, fuel_colour, fuel_label
from dashboard.parts import pick
from dashboard.station_charts import power_over_price
from dashboard.tables.station_output import StationOutput
from dashboard.tables.station_units import Chosen, Totals
from nem.caps import price_cap

Fact = tuple[str, str, str]  # name, value, definition


def build() -> View:
    """The part, empty."""
    power = Chart()

    def show(tables: StationOutput) -> None:
        fuel, cap = tables.chosen.fuel_id, price_cap(tables.window.end.date())
        colour = fuel_colour(fuel)
        power.draw(
            station_head(tables.chosen, "mean MW") + _facts(tables),
            markup.receipt_line(tables.receipts),
            power_over_price,
            tables.series,
            colour=colour,
            edge=EDGES.get(fuel, colour),
            cap=cap,
            charges=bool(np.any(np.nan_to_num(tables.series["charge_mw"]) != 0)),
        )

    return View(grid(power.card), show)


def station_head(chosen: Chosen, unit: str) -> str:
    """A station's name and place, and buttons for the whole of it and each of its units."""
    place = f"{fuel_label(chosen.fuel_id)}, {REGION_NAMES.get(chosen.region_id, chosen.region_id)}"
    missing = (
        f'<p class="note warn">No station or unit is called {escape(chosen.missing)}: this is the largest here.</p>'
        if chosen.missing
        else ""
    )
    return markup.header(chosen.title, f"{place} · {unit}", _units(chosen)) + missing


def _units(chosen: Chosen) -> str:
    if len(chosen.siblings) < 2:
        (duid, _), *_ = chosen.siblings
        return "" if duid == chosen.title else f"<span>{escape(duid)}</span>"
    whole = pick("Whole station", f"station={chosen.station_name}", chosen.is_whole)
    units = (
        pick(duid, f"station={duid}", not chosen.is_whole and duid in chosen.duids, markup.swatch(fuel_colour(fuel)))
        for duid, fuel in chosen.siblings
    )
    return f'<span class="keys">{whole}{"".join(units)}</span>'


def _facts(tables: StationOutput) -> str:
    told = {"storage": _storage, "load": _load, "generator": _generator}[tables.chosen.kind](tables, tables.totals)
    read = tables.totals.reading_share
    if read is not None and read < 0.9995:
        told.append(
            ("Readings", markup.percent(read), "share of the registered 5-minute intervals that sent a reading")
        )
    cards = "".join(f'<div title="{escape(tip)}"><span>{name}</span><b>{value}</b></div>' for name, value, tip in told)
    return f'<div class="facts">{cards}</div>'


def _generator(tables: StationOutput, row: Totals) -> list[Fact]:
    many = len(tables.chosen.duids) > 1
    return [
        ("Capacity", _capacity(row), "maximum, else registered, at the range's end"),
        ("Energy", markup.gwh(row.energy_mwh, " GWh"), ENERGY),
        ("Capacity factor", markup.factor(row.capacity_factor), FACTOR),
        ("Revenue", markup.millions(row.market_value_aud), VALUE),
        ("Average price", f"{markup.dollars(row.dwa_price)}/MWh", DWA),
        ("Capture rate", markup.percent(tables.capture_rate, 0), CAPTURE),
        ("Running", markup.number(row.running_hours, ",.0f", " h"), "hours with output" + (", added up over units" if many else "")),
        ("Starts", markup.number(tables.starts), "half hours with output right after one without, by unit; a dash past a year"),
        ("Peak", markup.number(tables.peak_mw, ",.0f", " MW"), f"highest {markup.RESOLUTION_WORDS[tables.resolution]} mean shown"),
    ]  # fmt: skip


def _storage(tables: StationOutput, row: Totals) -> list[Fact]:
    spread = None if row.dwa_price is None or row.charge_price is None else row.dwa_price - row.charge_price
    days = tables.window.hours / 24
    cycles = row.energy_mwh / row.storage_mwh / days if row.energy_mwh is not None and row.storage_mwh else None
    storage = markup.number(row.storage_mwh, ",.0f", " MWh") if row.storage_mwh else "storage unknown"
    return [
        ("Capacity", f"{_capacity(row)}<small>{storage}</small>", "discharging, and the energy it holds; counted once"),
        ("Discharged", markup.gwh(row.energy_mwh, " GWh"), "5-minute means above zero"),
        ("Charged", markup.gwh(row.charge_mwh, " GWh"), "5-minute means below zero"),
        ("Discharge price", f"{markup.dollars(row.dwa_price)}/MWh", DWA),
        ("Charge price", f"{markup.dollars(row.charge_price)}/MWh", "what charging cost over the energy that has a price"),
        ("Spread", f"{markup.dollars(spread)}/MWh", "discharge price less charge price"),
        ("Cycles a day", markup.number(cycles, ",.2f"), "energy discharged over the energy it holds, by day of the range"),
        ("Net revenue", markup.millions(row.net_revenue_aud), f"earned by discharging less paid for charging; {VALUE}"),
        ("Running", markup.number(row.running_hours, ",.0f", " h"), "hours discharging"),
    ]  # fmt: skip


def _load(_: StationOutput, row: Totals) -> list[Fact]:
    return [
        ("Energy drawn", markup.gwh(row.charge_mwh, " GWh"), "5-minute means of what it drew"),
        ("Average price", f"{markup.dollars(row.charge_price)}/MWh", "what it paid over the energy that has a price"),
        ("Cost", markup.millions(row.charge_value_aud), VALUE),
    ]


def _capacity(row: Totals) -> str:
    return markup.number(row.capacity_mw, ",.0f", " MW") if row.capacity_mw else "unknown"
