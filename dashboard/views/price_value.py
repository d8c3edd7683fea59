"""Price Analysis: what energy was worth, by fuel, and as a tree of regions, fuels and stations."""

from __future__ import annotations

from functools import partial
from html import escape

from dashboard import markup
from dashboard.definitions import CAPTURE, DWA, ENERGY, FACTOR, VALUE
from dashboard.layout import Text, View, card, grid
from dashboard.markup import Cell, Field, dollars, gwh, in_millions, of, percent
from dashboard.palette import REGION_NAMES, fuel_colour, fuel_label
from dashboard.tables.price_value import ROOFTOPS, Branch, FuelValue, PriceValue
from nem.fuels import FUELS, LOADS

_rate = partial(percent, digits=0)


def _fuel(row: FuelValue) -> Cell:
    paid = " (paid)" if row.fuel_id in LOADS else ""
    return markup.named(fuel_colour(row.fuel_id), f"{fuel_label(row.fuel_id)}{paid}")


FUEL_COLUMNS: tuple[Field, ...] = (
    ("Fuel", "", _fuel),
    ("GWh", "energy; what loads drew is positive too", of(gwh, "energy_mwh")),
    ("$m", f"{VALUE}; for a load, what it paid", of(in_millions, "market_value_aud")),
    ("$/MWh", DWA, of(dollars, "dwa_price")),
    ("Capture", CAPTURE, of(_rate, "capture_rate")),
    (
        "At negative prices",
        "share of the priced energy that was sold, or drawn, while the price was below $0",
        of(percent, "negative_price_share"),
    ),
)
TREE_COLUMNS: tuple[Field, ...] = (
    ("GWh", ENERGY, of(gwh, "energy_mwh")),
    ("$m", VALUE, of(in_millions, "market_value_aud")),
    ("$/MWh", DWA, of(dollars, "dwa_price")),
    ("Capture", CAPTURE, of(_rate, "capture_rate")),
    ("CF", FACTOR, of(markup.factor, "capacity_factor")),
    ("MW", "capacity, averaged over the range", of(markup.number, "capacity_mw")),
)
ORDERS = {"value": "Region, fuel, station", "value_by_fuel": "Fuel, region, station"}


def build() -> View:
    """The part, empty."""
    fuels, tree, receipt = (Text() for _ in range(3))

    def show(tables: PriceValue) -> None:
        stretch = markup.stretch(tables.window)
        told = markup.receipt_line(tables.receipts)
        rows = [markup.told(FUEL_COLUMNS, row) for row in tables.fuels]
        earned = markup.header(f"What each fuel earned, {REGION_NAMES[tables.selection.region]}", stretch)
        fuels.html = earned + markup.sorted_table(FUEL_COLUMNS, rows, "statistics") + told
        order = "value_by_fuel" if tables.order[0] == "fueltech_id" else "value"
        choice = markup.switch("Order", "view", ORDERS, order)
        tree.html = markup.header("Value of energy", stretch, choice) + _tree(tables)
        receipt.html = told

    return View(grid(card(fuels), card(tree, receipt)), show)  # apart: what is open in the tree stays so


def _tree(tables: PriceValue) -> str:
    """Rows in the order of the tree; all but the whole and its first level begin closed."""
    heads = (("", "click a triangle to open; a station leads to its own page", None), *TREE_COLUMNS)
    head = "".join(f'<th scope="col" title="{escape(tip)}">{name}</th>' for name, tip, _ in heads)
    body = "".join(_row(branch, tables) for branch in tables.tree)
    table = f'<table class="statistics" role="treegrid"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<nw-tree><div class="scroll">{table}</div></nw-tree>'


def _row(branch: Branch, tables: PriceValue) -> str:
    level = len(branch.path)
    is_leaf = level == len(tables.order)
    _, cells = markup.told(TREE_COLUMNS, branch)
    pick = (
        f' data-pick="{escape(f"station={branch.path[-1]}")}&#10;tab=stations&#10;view=" tabindex="0"'
        if is_leaf and branch.path[-1] != ROOFTOPS
        else ""
    )
    state = "" if is_leaf else f' aria-expanded="{str(level == 0).lower()}"'
    hidden = " hidden" if level > 1 else ""
    twist = '<button type="button" class="twist" aria-label="open or close"></button>'
    mark = '<span class="leaf"></span>' if is_leaf else twist
    first = f'<td style="padding-left:{max(level - 1, 0) * 18}px">{mark}{_name(branch, tables)}</td>'
    rest = "".join(f"<td>{html}</td>" for html, _ in cells)
    return f'<tr aria-level="{level + 1}"{state}{hidden}{pick}>{first}{rest}</tr>'


def _name(branch: Branch, tables: PriceValue) -> str:
    if not branch.path:
        return "All"
    name, kind = branch.path[-1], tables.order[len(branch.path) - 1]
    if kind == "fueltech_id":
        return f"{markup.swatch(fuel_colour(name))}{escape(fuel_label(name) if name in FUELS else name)}"
    return escape(REGION_NAMES.get(name, name) if kind == "region_id" else name)
