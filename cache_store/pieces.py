"""The pieces a request is answered from: planned, their partitions found sound, the live ones held by the source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from cache_store.errors import NoAnswerError, NothingHeldError, PartitionCorruptError, StalenessExceededError
from cache_store.manifest import Manifest
from cache_store.plan import Grace, Piece, age_and_bound, plan
from cache_store.request import Request
from cache_store.store import Store
from nem.errors import TableAbsentError
from nem.source import Source


def sound_pieces(
    store: Store, manifest: Manifest, request: Request, now: datetime, grace: Grace, *, opening: bool = True
) -> tuple[Manifest, list[Piece]]:
    """A plan whose partitions all hold what was published; broken ones are reported and left out.

    Not ``opening`` files, it leaves out what is missing, resized or reported, and reports nothing. One that is gone may
    only have been superseded since: then the newer manifest is planned from, and returned.

    Raises:
        PartitionCorruptError: the plan keeps naming builds that it was told are broken.
    """
    broken: frozenset[str] = frozenset()
    is_good = store.is_sound if opening else store.is_whole
    while True:
        pieces = plan(manifest, request, now, grace=grace, broken=broken)
        if opening:
            store.bring(piece.entry for piece in pieces if piece.entry)
        unsound = {piece.entry.build: piece.entry for piece in pieces if piece.entry and not is_good(piece.entry)}
        if not unsound:
            return manifest, pieces
        if (newest := store.manifest()) is not manifest:
            manifest = newest
            continue
        # Every turn but those after a publication leaves more builds out, so there are only so many of them.
        if unsound.keys() <= broken:
            raise PartitionCorruptError(
                f"{request.query.name} over {request.window}: the plan names builds known to be broken "
                f"({', '.join(sorted(unsound))}); run `nemwarm check --repair`"
            )
        if opening:
            store.report_broken(unsound.values())
        broken |= unsound.keys()


def refuse_live(
    manifest: Manifest, request: Request, pieces: Sequence[Piece], now: datetime, cause: Exception | None
) -> None:
    """Refuse pieces that only the source could answer; ``cause`` is why it cannot, None if it may not be asked.

    Raises:
        StalenessExceededError: one of them is past every bound.
        NoAnswerError: one is not held, and none is past its bound; NothingHeldError if the source has no such table.
    """
    live = [piece.segment for piece in pieces if piece.entry is None]
    if not live:
        return
    why = f"the source failed ({cause})" if cause else "the request allows the cache alone"
    if past := [segment.window for segment in live if segment.reason == "stale"]:
        age, bound = age_and_bound(manifest, request, past, now, "error" if cause else "revalidate")
        raise StalenessExceededError(
            f"{request.query.name} over {live[0].window}: partitions are past their bound ({age} old, {bound} allowed) "
            f"and {why}; run `nemwarm warm`",
            age,
            bound,
        ) from cause
    coarser = f"ask at a coarser resolution, from {request.query.grains[0]} on"
    remedy = {"grain_not_stored": coarser}.get(live[0].reason, "run `nemwarm warm` or ask for a window that is held")
    kind = NothingHeldError if isinstance(cause, TableAbsentError) else NoAnswerError
    raise kind(
        f"{request.query.name} over {live[0].window}: no partition serves it ({live[0].reason}) and {why}; {remedy}"
    ) from cause


def mark_empty(source: Source, request: Request, pieces: Sequence[Piece]) -> list[Piece]:
    """Split live pieces by what the source holds.

    Raises:
        NothingHeldError: nothing holds any of the window.
        SourceUnavailableError: a live piece, and the source is away.
    """
    marked: list[Piece] = []
    for piece in pieces:
        if piece.entry is not None:
            marked.append(piece)
            continue
        segment = piece.segment
        held = source.coverage(request.query.sources[0], segment.window)
        marked += [Piece(replace(segment, window=part)) for part in held]
        marked += [Piece(replace(segment, window=gap, reason="empty_source")) for gap in segment.window.minus(held)]
    if all(piece.segment.reason == "empty_source" for piece in marked):
        span = source.span(request.query.sources[0])
        raise NothingHeldError(
            f"{request.query.name} over {request.window}: nothing is held there; the source holds {span}; "
            "ask inside it, or land more with `nemwarm ingest`"
        )
    return sorted(marked, key=lambda piece: piece.segment.window)
