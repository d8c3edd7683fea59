"""Station Analysis: every station by how hard it ran, to sort and to narrow by fuel."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from dashboard import markup
from dashboard.definitions import DWA, FACTOR, VALUE
from dashboard.layout import Text, View, card, grid
from dashboard.palette import REGION_NAMES, fuel_colour, fuel_label
from dashboard.parts import pick
from dashboard.tables.station_league import StationLeague, StationRow
from nem.fuels import FUELS

HEADS = (
    ("Station", "click a row to draw it; a station of several fuels has a row for each"),
    ("Fuel", ""),
    ("Region", ""),
    ("Cap. factor", FACTOR),
    ("MW", "capacity at the range's end: maximum, else registered"),
    ("GWh", "energy generated or discharged"),
    ("$/MWh", DWA),
    ("Revenue", f"{VALUE}; a load's is what it paid, negative"),
    ("Running", "hours with output, added up over units"),
)  # fmt: skip


def build(_: Callable[..., None]) -> View:
    """The part, empty."""
    head, table, receipt = (Text() for _ in range(3))

    def show(tables: StationLeague) -> None:
        when = markup.stretch(tables.window)
        stretch = f"{len(tables.rows)} in {REGION_NAMES[tables.region]}, {when}"
        head.html = markup.header("Stations by capacity factor", stretch) + _fuels(tables)
        table.html = _league(tables)
        receipt.html = markup.receipt_line(tables.receipts[:1])

    return View(grid(card(head, table, receipt), kind="one"), show)


def _fuels(tables: StationLeague) -> str:
    known = [fuel for fuel in (*FUELS, "battery") if fuel in tables.fuels]
    keys = [pick("All fuels", "fuel=", not tables.fuel)]
    keys += [
        pick(fuel_label(fuel), f"fuel={fuel}", fuel == tables.fuel, markup.swatch(fuel_colour(fuel))) for fuel in known
    ]
    return f'<div class="keys">{"".join(keys)}</div>'


def _league(tables: StationLeague) -> str:
    rows = [(_attributes(row), _cells(row)) for row in tables.rows]
    if not rows:
        return '<p class="note">No station of this fuel is registered in the region.</p>'
    return f'<nw-table class="tall" filter="Filter by station, DUID or fuel">{markup.table(HEADS, rows, kind="league")}</nw-table>'


def _attributes(row: StationRow) -> str:
    return f'data-pick="{escape(f"station={row.station_name}")}&#10;view=" data-find="{escape(" ".join(row.duids))}" tabindex="0"'


def _cells(row: StationRow) -> list[tuple[str, object]]:
    told, colour, label = row.totals, fuel_colour(row.fuel_id), fuel_label(row.fuel_id)
    return [
        (f"{escape(row.station_name)}{_badge(row)}", row.station_name),
        (f"{markup.swatch(colour)}{label}", label),
        (row.region_id, row.region_id),
        (markup.bar(told.capacity_factor, colour, markup.factor(told.capacity_factor)), told.capacity_factor),
        (markup.number(told.capacity_mw), told.capacity_mw),
        (markup.number(told.energy_mwh, ",.1f", per=1e3), told.energy_mwh),
        (markup.dollars(told.dwa_price), told.dwa_price),
        (markup.millions(told.net_revenue_aud), told.net_revenue_aud),
        (markup.number(told.running_hours, ",.0f", " h"), told.running_hours),
    ]


def _badge(row: StationRow) -> str:
    if row.is_commissioning:
        return '<span class="badge new" title="new, and never above 90 % of its capacity yet">commissioning</span>'
    unknown = row.totals.capacity_mw is None and row.totals.capacity_factor is None
    return (
        '<span class="badge" title="it is in energy, and in no capacity factor">capacity unknown</span>'
        if unknown
        else ""
    )
