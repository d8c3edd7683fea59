"""Capacity factors by fuel over time, for the Generation tab."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from dashboard.bands import Band, stack_order
from dashboard.data import Export, Market, Question, Selection, Tables, only, resolutions_within
from dashboard.tables import shape
from dashboard.tables.supply import band_factors, generator_groups
from nem.windows import RESOLUTIONS, Resolution, Window


@dataclass(frozen=True, slots=True)
class Factors(Tables):
    """``columns`` holds ``interval_start``, ``interval_end`` and a capacity factor in percent per band, NaN in gaps.

    ``whole`` is each band's factor over the window, 0 to 1; bands stand from the top of the stack down.
    """

    window: Window
    columns: shape.Columns
    bands: tuple[Band, ...]
    whole: dict[str, float | None]


def load(market: Market, selection: Selection) -> Factors:
    """Rated energy over potential of each bucket and band; a unit of unknown capacity is in neither."""
    window = market.window("capacity_factor", selection)
    question = Question("capacity_factor", window, factor_resolution(selection, window), only(selection.region))
    units = market.answer(question)
    groups = generator_groups(selection.grouping)
    starts, ends, rated = shape.spread(units.table, "fueltech_id", "rated_energy_mwh", groups)
    _, _, potential = shape.spread(units.table, "fueltech_id", "potential_mwh", groups)
    whole = band_factors(units.table, selection.grouping)
    columns: shape.Columns = {"interval_start": starts, "interval_end": ends}
    bands = [band for band in reversed(stack_order(selection.grouping)) if whole.get(band.id) is not None]
    for band in bands:
        columns[band.id] = shape.ratios(100 * rated[band.id], potential[band.id])
    columns = shape.break_gaps(columns)
    units_of, make = dict.fromkeys((band.id for band in bands), "%"), partial(shape.arrow, columns)
    export = Export("capacity-factors", "Capacity factors over time", (question,), make, units_of)
    return Factors(
        window=window,
        columns=columns,
        bands=tuple(bands),
        whole=whole,
        selection=selection,
        receipts=(units.receipt,),
        exports=(export,),
    )


def factor_resolution(selection: Selection, window: Window) -> Resolution:
    """The selected resolution, but never finer than what is warmed and read at once: these rows are of every unit."""
    length = window.end - window.start
    finest = "30min" if length <= timedelta(days=3) else "1h" if length <= timedelta(days=8) else "1d"
    allowed = [step for step in resolutions_within(window) if RESOLUTIONS.index(step) >= RESOLUTIONS.index(finest)]
    return next((step for step in allowed if step == selection.resolution), allowed[0])
