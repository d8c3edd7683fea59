"""Flows between the regions now: a map of arrows, and a row per interconnector."""

from __future__ import annotations

import math

from dashboard import markup
from dashboard.palette import REGION_COLOURS
from dashboard.tables.flows import Flows, Link

# Where the regions stand on the map, as on the continent.
_PLACES = {"QLD1": (272, 30), "NSW1": (266, 124), "VIC1": (206, 216), "SA1": (52, 150), "TAS1": (226, 304)}
_HALF = (38, 19)  # of a region's box
_APART = 34  # of two interconnectors between the same regions


def flow_map(flows: Flows, prices: dict[str, float | None], chosen: str) -> str:
    """The head and the map of at least one flow."""
    newest = max(link.columns["interval_end"][-1] for link in flows.links)
    head = markup.header(
        "Interconnectors",
        f"MW metered to {str(newest.astype('M8[m]'))[11:]}",
        '<span class="limit">red: at a limit</span>',
    )
    joined: dict[tuple[str, str], list[Link]] = {}
    for link in flows.links:
        if link.ends and all(end in _PLACES for end in link.ends):
            joined.setdefault(link.ends, []).append(link)
    arrows = "".join(
        _arrow(link, (place - (len(links) - 1) / 2) * _APART)
        for links in joined.values()
        for place, link in enumerate(links)
    )
    boxes = "".join(_box(region, prices.get(region), region == chosen) for region in _PLACES)
    return (
        f'{head}<svg class="map" viewBox="0 0 324 330" role="img" aria-label="Flows between the regions: the list below says the same">'
        f"{arrows}{boxes}</svg>"
    )


def _box(region: str, price: float | None, chosen: bool) -> str:
    x, y = _PLACES[region]
    wide, high = _HALF
    return (
        f'<g class="region{" chosen" if chosen else ""}" data-pick="region={region}"><rect x="{x - wide}" y="{y - high}" '
        f'width="{2 * wide}" height="{2 * high}" rx="8"/><rect class="mark" x="{x - wide}" y="{y - high}" width="4" height="{2 * high}" rx="2" fill="{REGION_COLOURS[region]}"/>'
        f'<text x="{x}" y="{y - 4}">{region}</text><text class="paid" x="{x}" y="{y + 12}">{markup.dollars(price, ",.0f")}</text></g>'
    )


def _arrow(link: Link, aside: float) -> str:
    """From the region that gives to the one that gets, as thick as the flow, a number beside it."""
    assert link.ends is not None
    flow = link.newest["mean_mw"]
    giver, getter = link.ends if (flow or 0.0) >= 0 else link.ends[::-1]
    (x1, y1), (x2, y2) = _PLACES[giver], _PLACES[getter]
    away = math.hypot(x2 - x1, y2 - y1)
    along, across = ((x2 - x1) / away, (y2 - y1) / away), (-(y2 - y1) / away, (x2 - x1) / away)
    # Two of one pair keep their places whichever way each flows.
    side = aside if giver == link.ends[0] else -aside
    start, end = _edge(along), away - _edge(along) - 5
    points = [
        (x1 + along[0] * far + across[0] * side, y1 + along[1] * far + across[1] * side)
        for far in (start, end, (start + end) / 2)
    ]
    (ax, ay), (bx, by), (mx, my) = points
    width = 1.5 if flow is None else 1.5 + min(abs(flow), 1500) / 300
    kind = "limit" if link.is_at_limit else "idle" if flow is None or abs(flow) < 0.5 else ""
    tip = f"{link.name}: {markup.number(flow, unit=' MW')} {giver} to {getter}"
    head = f"M{bx + along[0] * 7:.1f} {by + along[1] * 7:.1f} L{bx + across[0] * (3 + width):.1f} {by + across[1] * (3 + width):.1f} L{bx - across[0] * (3 + width):.1f} {by - across[1] * (3 + width):.1f}Z"
    return (
        f'<g class="flow {kind}"><title>{tip}</title><path d="M{ax:.1f} {ay:.1f}L{bx:.1f} {by:.1f}" stroke-width="{width:.1f}"/>'
        f'<path class="point" d="{head}"/><text x="{mx:.1f}" y="{my + 4:.1f}">{markup.number(None if flow is None else abs(flow))}</text></g>'
    )


def _edge(along: tuple[float, float]) -> float:
    """How far a region's box reaches in a direction."""
    wide, high = _HALF
    reaches = [half / abs(part) for half, part in zip((wide + 3, high + 3), along, strict=True) if abs(part) > 1e-6]
    return min(reaches)


def limit_flag(link: Link) -> str:
    """That the newest interval is at a limit, if it is."""
    told = ' <small class="flag" title="its dispatch target has reached the limit">at limit</small>'
    return told if link.is_at_limit else ""


def flow_list(flows: Flows) -> str:
    """A row per interconnector: which way, how much, and of which limit."""
    return f'<ul class="mix links">{"".join(map(_row, flows.links))}</ul>'


def _row(link: Link) -> str:
    flow, limit = link.newest["mean_mw"], link.newest_limit
    size = None if limit is None else abs(limit)
    used = min(abs(flow or 0.0) / size, 1.0) if size else 0.0
    ends = (link.ends if (flow or 0.0) >= 0 else link.ends[::-1]) if link.ends else ()
    kind = ' class="limit"' if link.is_at_limit else ""
    return (
        f"<li{kind}><span>{link.name}<small>{' → '.join(ends)}</small>{limit_flag(link)}</span>"
        f'<span class="bar"><i style="width:{used * 100:.0f}%"></i></span>'
        f"<em>{markup.number(None if flow is None else abs(flow))} of {markup.number(size)} MW</em></li>"
    )
