"""The selected range beside another of the same region, for the Generation tab."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from operator import methodcaller

from cache_store.errors import NothingHeldError
from dashboard.bands import Band, stack_order
from dashboard.data import Export, Grouping, Market, Question, Selection, Tables, compared_window, window_of
from dashboard.tables import shape
from dashboard.tables.generation import Generation, load_window
from dashboard.tables.supply import FuelRow
from nem.windows import Window

PREVIOUS = "previous"
WHEN = ("now", "then")


def less(now: float | None, then: float | None) -> float | None:
    """The difference; None where a side is missing."""
    return None if now is None or then is None else now - then


@dataclass(frozen=True, slots=True)
class DeltaRow:
    """A band now and then. Changes are signed as told (more exports are a fall); None where one side is missing.

    Power is compared, not energy: the two ranges may differ in length.
    """

    band: Band
    now: FuelRow | None
    then: FuelRow | None

    def told(self, when: str, name: str) -> float | None:
        """What the row ``now`` or ``then`` has by that name; None without a row."""
        value: float | None = getattr(getattr(self, when), name, None)
        return value

    @property
    def change_mw(self) -> float | None:
        """Mean power now less then; a band that did not run then ran at 0."""
        return less(*(row.mean_mw if row else 0.0 for row in (self.now, self.then)))

    @property
    def change(self) -> float | None:
        """The change in mean power over its size then."""
        then = self.told("then", "mean_mw")
        return None if not then or self.change_mw is None else self.change_mw / abs(then)

    @property
    def change_share(self) -> float | None:
        """The change in share, as a difference of shares."""
        none = 0.0 if self.band.supplies else None
        return less(*(row.share if row else none for row in (self.now, self.then)))

    @property
    def change_price(self) -> float | None:
        """The change in dispatch-weighted price, $/MWh."""
        return less(*(self.told(when, "dwa_price") for when in WHEN))


@dataclass(frozen=True, slots=True)
class Comparison(Tables):
    """Both ranges, and what changed; ``then`` is None where nothing of the other range is held.

    ``asked`` is the other range as chosen, of which ``then.window`` is what the data reaches.
    """

    asked: Window
    now: Generation
    then: Generation | None
    rows: list[DeltaRow]


def load(market: Market, selection: Selection) -> Comparison:
    """Both ranges at the same resolution; without a choice, the one before of the same length."""
    extent = market.extent("generation_by_fuel")
    window = window_of(selection, extent, market.clock)
    selection = replace(selection, compare=selection.compare or PREVIOUS)
    asked = compared_window(selection, window)
    assert asked is not None
    now = load_window(market, selection, window)
    held = asked.overlap(extent)
    then = None
    if held is not None:
        with suppress(NothingHeldError):  # a gap in what is held
            then = load_window(market, selection, held)
    rows = delta_rows(now.rows, then.rows, selection.grouping) if then is not None else []
    exports = [replace(now.exports[0], title="The selected range")]
    if then is not None:
        other = replace(then.exports[0], name="generation-compared", title="The range compared with")
        exports += [other, _export(now.exports[1].questions + then.exports[1].questions, rows)]
    return Comparison(
        asked=asked,
        now=now,
        then=then,
        rows=rows,
        selection=selection,
        receipts=now.receipts + (then.receipts if then is not None else ()),
        exports=tuple(exports),
    )


def delta_rows(now: list[FuelRow], then: list[FuelRow], grouping: Grouping) -> list[DeltaRow]:
    """A row per band that either range has, from the top of the stack down."""
    mine, theirs = ({row.band.id: row for row in rows} for rows in (now, then))
    return [
        DeltaRow(band, mine.get(band.id), theirs.get(band.id))
        for band in reversed(stack_order(grouping))
        if band.id in mine or band.id in theirs
    ]


def _export(questions: tuple[Question, ...], rows: list[DeltaRow]) -> Export:
    names = ("energy_mwh", "mean_mw", "share", "market_value_aud", "dwa_price")
    sides = {f"{name}_{when}": methodcaller("told", when, name) for name in names for when in WHEN}
    make = partial(shape.listed, rows, "change_mw", band=lambda row: row.band.id, **sides)
    return Export("changes", "What changed", questions, make)
