"""Price Analysis: what energy was worth, by fuel, and as a tree of regions, fuels and stations."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from dashboard import markup
from dashboard.definitions import CAPTURE, DWA, ENERGY, FACTOR, VALUE
from dashboard.layout import Text, View, card, grid
from dashboard.palette import REGION_NAMES, fuel_colour, fuel_label
from dashboard.tables.price_value import ROOFTOPS, Branch, FuelValue, PriceValue
from nem.fuels import FUELS, LOADS

FUEL_HEADS = (
    ("Fuel", ""),
    ("GWh", "energy; what loads drew is positive too"),
    ("$m", f"{VALUE}; for a load, what it paid"),
    ("$/MWh", DWA),
    ("Capture", CAPTURE),
    ("At negative prices", "share of the priced energy that was sold, or drawn, while the price was below $0"),
)
TREE_HEADS = (
    ("", "click a triangle to open; a station leads to its own page"),
    ("GWh", ENERGY),
    ("$m", VALUE),
    ("$/MWh", DWA),
    ("Capture", CAPTURE),
    ("CF", FACTOR),
    ("MW", "capacity, averaged over the range"),
)
ORDERS = {"value": "Region, fuel, station", "value_by_fuel": "Fuel, region, station"}


def build(_: Callable[..., None]) -> View:
    """The part, empty."""
    fuels, tree, receipt = (Text() for _ in range(3))

    def show(tables: PriceValue) -> None:
        stretch = markup.stretch(tables.window)
        receipt.html = markup.receipt_line(tables.receipts)
        earned = markup.header(f"What each fuel earned, {REGION_NAMES[tables.region]}", stretch) + _fuels(tables)
        fuels.html = earned + receipt.html
        order = "value_by_fuel" if tables.order[0] == "fueltech_id" else "value"
        tree.html = markup.header("Value of energy", stretch, markup.switch("Order", "view", ORDERS, order)) + _tree(
            tables
        )

    return View(grid(card(fuels), card(tree, receipt), kind="one"), show)  # apart: what is open in the tree stays so


def _fuels(tables: PriceValue) -> str:
    rows = [("", _fuel_cells(row)) for row in tables.fuels]
    return f"<nw-table>{markup.table(FUEL_HEADS, rows, kind='statistics')}</nw-table>"


def _fuel_cells(row: FuelValue) -> list[tuple[str, object]]:
    label = f"{fuel_label(row.fuel_id)}{' (paid)' if row.fuel_id in LOADS else ''}"
    return [
        (f"{markup.swatch(fuel_colour(row.fuel_id))}{label}", label),
        (markup.number(row.energy_mwh, ",.1f", per=1e3), row.energy_mwh),
        (markup.number(row.market_value_aud, ",.2f", per=1e6), row.market_value_aud),
        (markup.dollars(row.dwa_price), row.dwa_price),
        (markup.percent(row.capture_rate, 0), row.capture_rate),
        (markup.percent(row.negative_price_share), row.negative_price_share),
    ]


def _tree(tables: PriceValue) -> str:
    """Rows in the order of the tree; all but the whole and its first level begin closed."""
    head = "".join(f'<th scope="col" title="{escape(tip)}">{name}</th>' for name, tip in TREE_HEADS)
    body = "".join(_row(branch, tables) for branch in tables.tree)
    table = f'<table class="statistics" role="treegrid"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<nw-tree><div class="scroll">{table}</div></nw-tree>'


def _row(branch: Branch, tables: PriceValue) -> str:
    level = len(branch.path)
    is_leaf = level == len(tables.order)
    cells = [
        markup.number(branch.energy_mwh, ",.1f", per=1e3),
        markup.number(branch.market_value_aud, ",.2f", per=1e6),
        markup.dollars(branch.dwa_price),
        markup.percent(branch.capture_rate, 0),
        markup.factor(branch.capacity_factor),
        markup.number(branch.capacity_mw),
    ]
    pick = (
        f' data-pick="{escape(f"station={branch.path[-1]}")}&#10;tab=stations&#10;view=" tabindex="0"'
        if is_leaf and branch.path[-1] != ROOFTOPS
        else ""
    )
    state = "" if is_leaf else f' aria-expanded="{str(level == 0).lower()}"'
    hidden = " hidden" if level > 1 else ""
    first = f'<td style="padding-left:{max(level - 1, 0) * 18}px">{_twist(is_leaf)}{_name(branch, tables)}</td>'
    return (
        f'<tr aria-level="{level + 1}"{state}{hidden}{pick}>{first}{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
    )


def _twist(is_leaf: bool) -> str:
    return (
        '<span class="leaf"></span>'
        if is_leaf
        else '<button type="button" class="twist" aria-label="open or close"></button>'
    )


def _name(branch: Branch, tables: PriceValue) -> str:
    if not branch.path:
        return "All"
    name, kind = branch.path[-1], tables.order[len(branch.path) - 1]
    if kind == "fueltech_id":
        return f"{markup.swatch(fuel_colour(name))}{escape(fuel_label(name) if name in FUELS else name)}"
    return escape(REGION_NAMES.get(name, name) if kind == "region_id" else name)
