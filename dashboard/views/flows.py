"""Interconnectors over the range: flow between its limits, utilisation, and how long they were at a limit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dashboard import markup
from dashboard.layout import Text, View, card, chart, grid
from dashboard.palette import AT_LIMIT, FLOW, REGION_NAMES
from dashboard.stacks import flow_panels
from dashboard.tables.flows import Flows, Link, wide
from nem.regions import NEM

HEADS = (
    ("Interconnector", "a positive flow is from the first region to the second"),
    ("Newest MW", "metered flow in the newest interval of the range"),
    ("Limit", "in the direction it flows then"),
    ("Mean MW", "over the intervals with a metered flow"),
    ("GWh →", "metered energy from the first region to the second"),
    ("GWh ←", "and the other way"),
    ("Use →", "utilisation: energy over what the limit let flow, where it is known; never clipped"),
    ("Use ←", "the same the other way"),
    ("At limit", "share of intervals whose dispatch target is within 0.01 MW of a limit, or past it"),
    ("Losses GWh", "as dispatch reckons with them"),
)


def build(_: Callable[..., None]) -> View:
    """The view, empty."""
    head, receipt, table = (Text() for _ in range(3))
    panels = chart()
    table_card = card(table)

    def show(tables: Flows) -> None:
        where = "" if tables.region == NEM else f", {REGION_NAMES[tables.region]}"
        head.html = markup.header(f"Interconnectors{where}", "mean MW between limits", _keys() if tables.links else "")
        table_card.visible = panels.model.visible = bool(tables.links)
        told = markup.receipt_line(tables.receipts)
        if not tables.links:
            receipt.html = f'<p class="note">{tables.why_none}</p>{told}'
            return
        shown = tuple((link.interconnector_id, link.name, direction(link)) for link in tables.links)
        panels.show(shown, wide(tables.links), partial(flow_panels, links=shown))
        receipt.html = told
        assert tables.window is not None
        when = markup.stretch(tables.window)
        table.html = markup.header("How hard they ran", when) + _table(tables.links) + told

    return View(grid(table_card, card(head, panels, receipt), kind="one"), show)


def _keys() -> str:
    return (
        f"<span>{markup.swatch(FLOW)}flow</span><span>{markup.swatch(AT_LIMIT)}at a limit</span>"
        "<span>dashed: limits</span>"
    )


def direction(link: Link) -> str:
    """Such as VIC1 → SA1."""
    return f"{link.ends[0]} → {link.ends[1]}" if link.ends else "forward"


def _table(links: list[Link]) -> str:
    rows = [("", _cells(link)) for link in links]
    return f"<nw-table>{markup.table(HEADS, rows, kind='links')}</nw-table>"


def _cells(link: Link) -> list[tuple[str, object]]:
    flow, limit = link.newest["mean_mw"], link.newest_limit
    flag = ' <small class="flag" title="its target has reached the limit">at limit</small>' if link.is_at_limit else ""
    return [
        (f"{link.name}<small>{direction(link)}</small>", link.name),
        (f"{markup.number(flow)}{flag}", flow),
        (markup.number(limit), limit),
        (markup.number(link.mean_mw), link.mean_mw),
        (markup.number(link.forward_mwh, ",.1f", per=1e3), link.forward_mwh),
        (markup.number(link.reverse_mwh, ",.1f", per=1e3), link.reverse_mwh),
        (markup.percent(link.forward_utilisation, 0), link.forward_utilisation),
        (markup.percent(link.reverse_utilisation, 0), link.reverse_utilisation),
        (markup.percent(link.at_limit_share), link.at_limit_share),
        (markup.number(link.losses_mwh, ",.1f", per=1e3), link.losses_mwh),
    ]
