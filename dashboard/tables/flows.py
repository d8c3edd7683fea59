"""What flows between regions and how near its limits: the newest interval of every interconnector, and over a range."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from cache_store.answer import Answer
from cache_store.errors import NothingHeldError
from dashboard.data import Export, Market, Question, Selection, Tables, resolution_of
from dashboard.tables import shape
from nem.regions import INTERCONNECTORS, NEM
from nem.windows import Window

_DRAWN = ("mean_mw", "forward_limit_mw", "reverse_limit_mw", "at_limit")


@dataclass(frozen=True, slots=True)
class Link:
    """One interconnector over a window; flows are metered and positive from ``ends[0]`` to ``ends[1]``.

    ``columns`` holds ``interval_start``, ``interval_end``, ``mean_mw``, ``forward_limit_mw``, ``reverse_limit_mw`` (not
    above 0) and ``at_limit``, the share of a bucket's labels at a limit. ``ends`` is None for one that no list knows.
    """

    interconnector_id: str
    name: str
    ends: tuple[str, str] | None
    columns: shape.Columns
    mean_mw: float | None
    forward_mwh: float | None
    reverse_mwh: float | None
    forward_utilisation: float | None
    reverse_utilisation: float | None
    at_limit_share: float | None
    losses_mwh: float | None

    @property
    def newest(self) -> dict[str, float | None]:
        """The last bucket's flow, limits and share at a limit; None where unknown."""
        rows = {name: values[-1:] for name, values in self.columns.items() if values.dtype.kind == "f"}
        return {name: float(row[0]) if row.size and not np.isnan(row[0]) else None for name, row in rows.items()}

    @property
    def newest_limit(self) -> float | None:
        """The last bucket's limit in the direction it flows; None where either is unknown."""
        flow = self.newest["mean_mw"]
        return None if flow is None else self.newest["forward_limit_mw" if flow >= 0 else "reverse_limit_mw"]

    @property
    def is_at_limit(self) -> bool:
        """Whether the last bucket's target reached a limit."""
        return bool(self.newest["at_limit"])


@dataclass(frozen=True, slots=True)
class Flows(Tables):
    """Interconnectors that touch a region; ``why_none`` says why there are none, where no flows are held."""

    window: Window | None
    links: list[Link]
    why_none: str


def load(market: Market, selection: Selection) -> Flows:
    """Every interconnector of the region over the selected range of what flows are held; without any, none and why."""
    try:
        window = market.window("interconnector_flow", selection)
    except NothingHeldError:
        why_none = "The source holds no interconnector flows for this range."
        return Flows(None, [], why_none, selection=selection, receipts=(), exports=())
    question = Question("interconnector_flow", window, resolution_of(selection, window))
    answer = market.answer_beside(question)
    links = [link for link in links_of(answer) if touches(link, selection.region)]
    names = [link.interconnector_id for link in links]
    make = partial(shape.where, answer.table, "interconnector_id", names)
    exports = (Export("flows", "Interconnector flows", (question,), make),) if links else ()
    why_none = "" if links else "No interconnector reported in this range."
    return Flows(window, links, why_none, selection=selection, receipts=(answer.receipt,), exports=exports)


def touches(link: Link, region: str) -> bool:
    """Whether it ends in ``region``; one whose ends are unknown may."""
    return region == NEM or link.ends is None or region in link.ends


def links_of(answer: Answer) -> list[Link]:
    """Each interconnector of an answer, those of the list first."""
    names = set(shape.columns(answer.table, ("interconnector_id",))["interconnector_id"])
    known = [name for name in INTERCONNECTORS if name in names]
    return [
        _link(name, shape.where(answer.table, "interconnector_id", [name]))
        for name in (*known, *sorted(names - set(known)))
    ]


def _link(interconnector_id: str, table: pa.Table) -> Link:
    data = shape.columns(table)
    sums = shape.totals(data)
    hours = data["reading_count"] / shape.PER_HOUR
    columns = {
        "interval_start": data["interval_start"],
        "interval_end": data["interval_end"],
        "mean_mw": data["mean_mw"],
        "forward_limit_mw": shape.ratios(data["forward_limit_mwh"], hours),
        "reverse_limit_mw": shape.ratios(-data["reverse_limit_mwh"], hours),
        "at_limit": shape.ratios(_at_limit(data), data["limit_count"]),
    }
    name, *ends = INTERCONNECTORS.get(interconnector_id, (interconnector_id,))
    net = None if sums["forward_mwh"] is None else sums["forward_mwh"] - (sums["reverse_mwh"] or 0.0)
    return Link(
        interconnector_id=interconnector_id,
        name=name,
        ends=(ends[0], ends[1]) if ends else None,
        columns=shape.break_gaps(columns),
        mean_mw=shape.ratio(net, (sums["reading_count"] or 0.0) / shape.PER_HOUR),
        forward_mwh=sums["forward_mwh"],
        reverse_mwh=sums["reverse_mwh"],
        forward_utilisation=shape.ratio(sums["rated_forward_mwh"], sums["forward_limit_mwh"]),
        reverse_utilisation=shape.ratio(sums["rated_reverse_mwh"], sums["reverse_limit_mwh"]),
        at_limit_share=shape.ratio(shape.total(_at_limit(data)), sums["limit_count"]),
        losses_mwh=sums["losses_mwh"],
    )


def _at_limit(data: shape.Columns) -> shape.Array:
    both = data["at_both_limits_count"]
    return np.asarray(data["at_forward_limit_count"] + data["at_reverse_limit_count"] - both)


def wide(links: list[Link]) -> shape.Columns:
    """Every link's series over one time axis: ``<id>.flow``, ``.forward``, ``.reverse`` (limits), ``.at`` (flow at a limit)."""
    edges = ("interval_start", "interval_end")
    starts, ends = (np.concatenate([link.columns[name] for link in links]) for name in edges)
    grid, first = np.unique(starts, return_index=True)
    out: shape.Columns = {"interval_start": grid, "interval_end": ends[first]}
    for link in links:
        flow, forward, reverse, at = (link.columns[name] for name in _DRAWN)
        drawn = {"flow": flow, "forward": forward, "reverse": reverse, "at": np.where(at > 0, flow, np.nan)}
        for part, values in drawn.items():
            out[f"{link.interconnector_id}.{part}"] = shape.on(grid, link.columns["interval_start"], values)
    return out
