"""Interconnectors over the range: flow between its limits, utilisation, and how long they were at a limit."""

from __future__ import annotations

from functools import partial

from dashboard import markup
from dashboard.charts import Chart
from dashboard.layout import Text, View, card, grid
from dashboard.markup import Field, gwh, number, of, percent
from dashboard.palette import AT_LIMIT, FLOW, REGION_NAMES
from dashboard.stacks import flow_panels
from dashboard.tables.flows import Flows, Link, wide
from dashboard.views.links import limit_flag
from nem.regions import NEM

COLUMNS: tuple[Field, ...] = (
    (
        "Interconnector",
        "a positive flow is from the first region to the second",
        lambda link: (f"{link.name}<small>{direction(link)}</small>", link.name),
    ),
    (
        "Newest MW",
        "metered flow in the newest interval of the range",
        lambda link: (f"{number(link.newest['mean_mw'])}{limit_flag(link)}", link.newest["mean_mw"]),
    ),
    ("Limit", "in the direction it flows then", of(number, "newest_limit")),
    ("Mean MW", "over the intervals with a metered flow", of(number, "mean_mw")),
    ("GWh →", "metered energy from the first region to the second", of(gwh, "forward_mwh")),
    ("GWh ←", "and the other way", of(gwh, "reverse_mwh")),
    (
        "Use →",
        "utilisation: energy over what the limit let flow, where it is known; never clipped",
        of(partial(percent, digits=0), "forward_utilisation"),
    ),
    ("Use ←", "the same the other way", of(partial(percent, digits=0), "reverse_utilisation")),
    (
        "At limit",
        "share of intervals whose dispatch target is within 0.01 MW of a limit, or past it",
        of(percent, "at_limit_share"),
    ),
    ("Losses GWh", "as dispatch reckons with them", of(gwh, "losses_mwh")),
)
_KEYS = (
    f"<span>{markup.swatch(FLOW)}flow</span><span>{markup.swatch(AT_LIMIT)}at a limit</span><span>dashed: limits</span>"
)


def build() -> View:
    """The part, empty."""
    panels, table = Chart(), Text()
    table_card = card(table)

    def show(tables: Flows) -> None:
        table_card.visible = bool(tables.links)
        told = markup.receipt_line(tables.receipts)
        where = "" if tables.selection.region == NEM else f", {REGION_NAMES[tables.selection.region]}"
        head = partial(markup.header, f"Interconnectors{where}", "mean MW between limits")
        if not tables.links:
            panels.show(head(), f'<p class="note">{tables.why_none}</p>{told}')
            return
        shown = tuple((link.interconnector_id, link.name, direction(link)) for link in tables.links)
        panels.draw(head(_KEYS), told, flow_panels, wide(tables.links), links=shown)
        assert tables.window is not None
        rows = [markup.told(COLUMNS, link) for link in tables.links]
        when = markup.header("How hard they ran", markup.stretch(tables.window))
        table.html = when + markup.sorted_table(COLUMNS, rows, "links") + told

    return View(grid(table_card, panels.card), show)


def direction(link: Link) -> str:
    """Such as VIC1 → SA1."""
    return f"{link.ends[0]} → {link.ends[1]}" if link.ends else "forward"
