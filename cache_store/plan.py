"""Coverage algebra: which partitions tile a window, what stays live, and why.

Pure over a manifest: nothing here opens a data file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from cache_store.answer import Origin, Reason, Segment
from cache_store.catalogue import Query
from cache_store.manifest import Entry, Manifest, is_year
from cache_store.request import Request
from nem.windows import RESOLUTIONS, Window, ceil, floor

Grace = Literal["revalidate", "error"]  # how far past its TTL a partition may serve: see freshness.Ttl


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the window: from ``entry``, or live where there is none."""

    segment: Segment
    entry: Entry | None = None


def plan(
    manifest: Manifest,
    request: Request,
    now: datetime,
    *,
    grace: Grace = "revalidate",
    broken: Set[str] = frozenset(),
) -> list[Piece]:
    """Pieces that tile the request's window exactly, in time order: the coarsest grain that fits, finer at ragged edges.

    What no usable partition covers is one live piece per reason. ``broken`` are builds known to be unreadable.
    """
    query, left = request.query, [request.window]
    if request.origin == "live":
        return [_live(request.window, "origin_live")]
    finest_first = RESOLUTIONS[: RESOLUTIONS.index(request.resolution) + 1]
    grains = [grain for grain in query.grains if grain in finest_first]
    if not grains:
        return [_live(request.window, "grain_not_stored")]
    state = partial(_state, now=now, grace=grace, max_staleness=request.max_staleness, broken=broken)
    pieces: list[Piece] = []
    for grain in reversed(grains):
        if not left:
            break
        for entry in _near(request.window, manifest.series(query.name, query.fingerprint, grain)):
            origin = state(entry)
            if origin and (found := [part for gap in left if (part := _usable(entry, gap))]):
                pieces += [Piece(_from_entry(entry, part, origin), entry) for part in found]
                left = [rest for gap in left for rest in gap.minus(found)]
    if left:
        pieces += _explain(manifest, query, left, broken, is_past=lambda entry: state(entry) is None)
    return sorted(pieces, key=lambda piece: piece.segment.window)


def _near(window: Window, entries: Iterable[Entry]) -> list[Entry]:
    """Those that cover any of ``window``: of ten years' partitions a request meets a few."""
    return [entry for entry in entries if entry.covers.start < window.end and window.start < entry.covers.end]


def _usable(entry: Entry, gap: Window) -> Window | None:
    """The part of ``gap`` whose buckets ``entry`` holds whole.

    A bucket that is still arriving ends where its data does: it holds no label past ``covers.end``, so it is whole
    for any gap that reaches that far. Likewise the bucket the data begins in. A year is read whole or left to its parts.
    """
    if is_year(entry.period) and gap.overlap(entry.covers) != entry.covers:
        return None
    grain = entry.grain
    start = entry.covers.start if gap.start <= entry.covers.start else ceil(gap.start, grain)
    end = entry.covers.end if gap.end >= entry.covers.end else floor(gap.end, grain)
    return Window(start, end) if start < end else None


def _state(
    entry: Entry, now: datetime, grace: Grace, max_staleness: timedelta | None, broken: Set[str]
) -> Literal["cache", "stale"] | None:
    """Whether ``entry`` may serve at ``now``, and as what; None when it is broken or past its bound."""
    fresh = entry.freshness
    if entry.build in broken or (max_staleness is not None and now - fresh.verified_at > max_staleness):
        return None
    if now < fresh.expires_at:
        return "cache"
    return "stale" if now < (fresh.swr_until if grace == "revalidate" else fresh.sie_until) else None


def age_and_bound(
    manifest: Manifest, request: Request, windows: Sequence[Window], now: datetime, grace: Grace
) -> tuple[timedelta, timedelta]:
    """How old at ``now``, and how old it might be, what is held of ``windows`` and furthest past its bound."""
    found: list[tuple[timedelta, timedelta]] = []
    for entry in manifest.entries:
        is_asked = (entry.query, entry.fingerprint) == (request.query.name, request.query.fingerprint)
        if not (is_asked and any(entry.covers.overlap(window) for window in windows)):
            continue
        fresh = entry.freshness
        since = fresh.expires_at - timedelta(seconds=fresh.ttl_seconds)
        found.append((now - since, (fresh.swr_until if grace == "revalidate" else fresh.sie_until) - since))
        if request.max_staleness is not None:
            found.append((now - fresh.verified_at, request.max_staleness))
    return max(found, key=lambda one: one[0] - one[1])


def _explain(
    manifest: Manifest, query: Query, gaps: Sequence[Window], broken: Set[str], is_past: Callable[[Entry], bool]
) -> list[Piece]:
    """Live pieces for ``gaps``, split by why no partition serves them."""
    reach = Window(gaps[0].start, gaps[-1].end)
    of_query = _near(reach, (entry for entry in manifest.entries if entry.query == query.name))
    current = [entry for entry in of_query if entry.fingerprint == query.fingerprint]
    causes: list[tuple[Reason, list[Window]]] = [
        ("corrupt", [e.covers for e in current if e.build in broken]),
        ("stale", [e.covers for e in current if is_past(e)]),
        ("grain_too_coarse", [e.covers for e in current]),
        ("fingerprint_mismatch", [e.covers for e in of_query if e.fingerprint != query.fingerprint]),
    ]
    pieces: list[Piece] = []
    left = list(gaps)
    for reason, windows in causes:
        for gap in left:
            pieces += [_live(part, reason) for part in gap.minus(gap.minus(windows))]
        left = [rest for gap in left for rest in gap.minus(windows)]
    return pieces + [_live(gap, "range_gap") for gap in left]


def _live(window: Window, reason: Reason) -> Piece:
    return Piece(Segment(window, "live", reason, "5min"))


def _from_entry(entry: Entry, part: Window, origin: Origin) -> Segment:
    reason: Reason = "fresh" if origin == "cache" else "stale"
    return Segment(part, origin, reason, entry.grain, entry.build, entry.built_at, entry.row_count, entry.byte_count)
