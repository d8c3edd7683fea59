"""What a fetch returns: a table, and a receipt that says where each part of it came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pyarrow as pa

from nem.windows import Resolution, Window

Origin = Literal["cache", "stale", "live"]
Reason = Literal[
    "fresh",  # a partition inside its TTL
    "stale",  # a partition past its TTL, inside its grace
    "range_gap",  # no partition covers it
    "grain_too_coarse",  # partitions cover it, in buckets that reach past this part of the window
    "grain_not_stored",  # the query stores no grain so fine: always live
    "fingerprint_mismatch",  # partitions cover it, built from another definition of the query
    "corrupt",  # its partition could not be read
    "origin_live",  # the caller asked for live
    "empty_source",  # the source holds nothing here either: no rows
]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the window and where its rows came from; ``built_at`` is UTC.

    ``row_count`` and ``byte_count`` are of the partition file, of which the piece may take a part. All are None for
    live rows.
    """

    window: Window
    origin: Origin
    reason: Reason
    grain: Resolution
    build: str | None = None
    built_at: datetime | None = None
    row_count: int | None = None
    byte_count: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an answer came from: ``segments`` tile ``window`` exactly, in time order.

    ``generation`` is the manifest snapshot read, ``now`` the UTC instant freshness was judged at; ``notes`` are
    sentences a reader of the numbers needs (which demand weighted a price, say).
    """

    query: str
    window: Window
    resolution: Resolution
    generation: int
    now: datetime
    segments: tuple[Segment, ...]
    from_memory: bool = False
    notes: tuple[str, ...] = ()

    @property
    def origin(self) -> Literal["memory", "cache", "stale", "live", "mixed"]:
        """One word for the whole: ``stale`` if any part is, else the parts' common origin, else ``mixed``."""
        if self.from_memory:
            return "memory"
        origins = {segment.origin for segment in self.segments if segment.reason != "empty_source"}
        if "stale" in origins:
            return "stale"
        return origins.pop() if len(origins) == 1 else "mixed" if origins else "live"

    @property
    def data_through(self) -> datetime | None:
        """The newest label any part covers, NEM time; None when the source holds nothing in the window."""
        return max((s.window.end for s in self.segments if s.reason != "empty_source"), default=None)

    @property
    def built_at(self) -> datetime | None:
        """When the oldest partition read was built, UTC; None for a live answer."""
        return min((s.built_at for s in self.segments if s.built_at), default=None)

    @property
    def coverage(self) -> float:
        """The share of the window, 0 to 1, for which the source or the store holds data."""
        held = sum(s.window.hours for s in self.segments if s.reason != "empty_source")
        return held / self.window.hours


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows ordered by key: ``interval_start``, ``interval_end``, ``complete``, keys, measures, ratios."""

    table: pa.Table
    receipt: Receipt
