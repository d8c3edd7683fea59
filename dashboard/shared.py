"""What a selection shows, worked out once for all sessions that chose it, while the market answers alike."""

from __future__ import annotations

import threading
import weakref
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cache_store.errors import NothingHeldError
from dashboard.contents import load, tab_of
from dashboard.data import Market, Selection

if TYPE_CHECKING:
    from cache_store.answer import Answer
    from nem.windows import Window

_lock = threading.Lock()


@dataclass(slots=True)
class Made:
    """Tables, and what they were made of: extents and answers, None where nothing was held."""

    minute: datetime
    tables: Any = None
    extents: dict[str, Window | None] = field(default_factory=dict)
    asked: list[tuple[str, Window, dict[str, Any], Facts | None]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Facts:
    """An answer without its rows, which are memory's to keep or to let go; equal to another of the very same."""

    table: weakref.ref[Any]
    receipt: tuple[Any, ...]

    def __eq__(self, other: object) -> bool:  # of references it would be that of their tables, row by row
        table = self.table()
        return (
            isinstance(other, Facts) and table is not None and table is other.table() and self.receipt == other.receipt
        )


def load_once(market: Market, selection: Selection) -> Any:
    """What `contents.load` gives; the very tables of before where all they were made of is still so.

    Memory answers with the table that it answered with before, so to ask again is cheap, and to compare. After a minute
    they are made anew all the same: receipts tell ages from when they were asked for.
    """
    if not tab_of(selection.tab).dated:
        selection = Selection(selection.tab, selection.region, grouping=selection.grouping)
    minute = market.clock().replace(second=0, microsecond=0)
    with _lock:
        made = market.kept.get(selection)
    if made is None or made.minute != minute or not _is_still_so(made, market):
        made = Made(minute)
        made.tables = load(_noting(market, made), selection)
        with _lock:
            market.kept[selection] = made
    return made.tables


def _noting(market: Market, made: Made) -> Market:
    """``market``, whose answers are noted."""

    def extent(query: str) -> Window:
        made.extents[query] = None
        made.extents[query] = held = market.extent(query)
        return held

    def ask(query: str, window: Window, **options: Any) -> Answer:
        facts = None
        try:
            answer = market.ask(query, window, **options)
            facts = _facts(answer)
        finally:
            made.asked.append((query, window, options, facts))
        return answer

    return replace(market, ask=ask, extent=extent)


def _facts(answer: Answer) -> Facts:
    return Facts(weakref.ref(answer.table), (answer.receipt.segments, answer.receipt.notes))


def _is_still_so(made: Made, market: Market) -> bool:
    """Whether ``market`` tells again what was told; it is asked no more once it does not."""
    again = Made(made.minute)
    noting = _noting(market, again)
    for query in made.extents:
        with suppress(NothingHeldError):
            noting.extent(query)
    if again.extents != made.extents:
        return False
    for before in made.asked:
        query, window, options, _ = before
        with suppress(NothingHeldError):
            noting.ask(query, window, **options)
        if again.asked[-1] != before:
            return False
    return True
