"""Station Analysis: every station by how hard it ran, to sort and to narrow by fuel."""

from __future__ import annotations

from html import escape

from dashboard import markup
from dashboard.definitions import DWA, FACTOR, VALUE
from dashboard.layout import Text, View, card, grid
from dashboard.markup import Cell, Field, dollars, gwh, number, of
from dashboard.palette import REGION_NAMES, fuel_colour, fuel_label
from dashboard.parts import pick
from dashboard.tables.station_league import StationLeague, StationRow
from nem.fuels import FUELS


def _factor(row: StationRow) -> Cell:
    share = row.totals.capacity_factor
    return markup.bar(share, fuel_colour(row.fuel_id), markup.factor(share)), share


COLUMNS: tuple[Field, ...] = (
    (
        "Station",
        "click a row to draw it; a station of several fuels has a row for each",
        lambda row: (f"{escape(row.station_name)}{_badge(row)}", row.station_name),
    ),
    ("Fuel", "", lambda row: markup.named(fuel_colour(row.fuel_id), fuel_label(row.fuel_id))),
    ("Region", "", of(str, "region_id")),
    ("Cap. factor", FACTOR, _factor),
    ("MW", "capacity at the range's end: maximum, else registered", of(number, "totals.capacity_mw")),
    ("GWh", "energy generated or discharged", of(gwh, "totals.energy_mwh")),
    ("$/MWh", DWA, of(dollars, "totals.dwa_price")),
    ("Revenue", f"{VALUE}; a load's is what it paid, negative", of(markup.millions, "totals.net_revenue_aud")),
    (
        "Running",
        "hours with output, added up over units",
        lambda row: (number(row.totals.running_hours, ",.0f", " h"), row.totals.running_hours),
    ),
)


def build() -> View:
    """The part, empty."""
    head, table, receipt = (Text() for _ in range(3))

    def show(tables: StationLeague) -> None:
        when = markup.stretch(tables.window)
        stretch = f"{len(tables.rows)} in {REGION_NAMES[tables.selection.region]}, {when}"
        head.html = markup.header("Stations by capacity factor", stretch) + _fuels(tables)
        table.html = _league(tables)
        receipt.html = markup.receipt_line(tables.receipts[:1])

    return View(grid(card(head, table, receipt)), show)


def _fuels(tables: StationLeague) -> str:
    known = [fuel for fuel in (*FUELS, "battery") if fuel in tables.fuels]
    keys = [pick("All fuels", "fuel=", not tables.selection.fuel)]
    keys += [
        pick(fuel_label(fuel), f"fuel={fuel}", fuel == tables.selection.fuel, markup.swatch(fuel_colour(fuel)))
        for fuel in known
    ]
    return f'<div class="keys">{"".join(keys)}</div>'


def _league(tables: StationLeague) -> str:
    if not tables.rows:
        return '<p class="note">No station of this fuel is registered in the region.</p>'
    rows = [markup.told(COLUMNS, row, _attributes(row)) for row in tables.rows]
    return markup.sorted_table(COLUMNS, rows, "league", ' class="tall" filter="Filter by station, DUID or fuel"')


def _attributes(row: StationRow) -> str:
    return f'data-pick="{escape(f"station={row.station_name}")}&#10;view=" data-find="{escape(" ".join(row.duids))}" tabindex="0"'


def _badge(row: StationRow) -> str:
    if row.is_commissioning:
        return '<span class="badge new" title="new, and never above 90 % of its capacity yet">commissioning</span>'
    unknown = row.totals.capacity_mw is None and row.totals.capacity_factor is None
    badge = '<span class="badge" title="it is in energy, and in no capacity factor">capacity unknown</span>'
    return badge if unknown else ""
