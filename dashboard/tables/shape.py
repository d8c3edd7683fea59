"""Tables made into what a chart or a table draws: pure functions over Arrow tables, with no asking and no widgets.

Ratios are made here only by summing numerators and denominators (tooltips state each definition).
What is missing is NaN in a column and None in a row: never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nem.fuels import FUELS, LOADS, RENEWABLES
from nem.regions import NEM

if TYPE_CHECKING:
    from cache_store.answer import Answer, Receipt

Array = npt.NDArray[Any]
Columns = dict[str, Array]

HOUR = np.timedelta64(3600, "s")
BELOW_ZERO = (*LOADS, "exports")
ROOFTOP = "solar_rooftop"
_GENERATION = tuple(fuel.id for fuel in FUELS.values() if fuel.kind == "generation")
_SUPPLY = tuple(fuel.id for fuel in FUELS.values() if fuel.kind in {"generation", "storage"})


@dataclass(frozen=True, slots=True)
class Stack:
    """Mean MW by fuel, loads and exports negative, beside demand and price.

    ``columns`` holds ``interval_start``, ``interval_end``, one column per id in ``fuels`` (stack order),
    ``supply_mw`` (what stands above zero), ``demand_mw`` and ``price``; a stretch without data is one row of NaN.
    """

    columns: Columns
    fuels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FuelRow:
    """One fuel over a whole window; ``share`` is of positive supply, so loads and exchanges have none."""

    fuel_id: str
    energy_mwh: float
    mean_mw: float | None
    share: float | None
    capacity_factor: float | None
    dwa_price: float | None
    market_value_aud: float | None


def columns(table: pa.Table, names: Iterable[str] | None = None) -> Columns:
    """Columns as NumPy arrays: null as NaN, text as str objects."""
    return {name: _array(table.column(name)) for name in (names or table.column_names)}


def _array(column: pa.ChunkedArray) -> Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    return np.asarray(column.to_numpy())


def where(table: pa.Table, column: str, values: Sequence[str]) -> pa.Table:
    """The rows whose ``column`` is one of ``values``, in their order."""
    kept = np.isin(_array(table.column(column)), list(values))
    return table.filter(pa.array(kept))


def total(values: Array) -> float | None:
    """The sum of what is there; None when nothing is."""
    held = values[~np.isnan(values)]
    return float(held.sum()) if held.size else None


def ratio(numerator: float | None, denominator: float | None) -> float | None:
    """``numerator / denominator``; None where either is missing or the denominator is not positive."""
    if numerator is None or denominator is None or denominator <= 0:
        return None
    return numerator / denominator


def sums(table: pa.Table, key: str, measures: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Each measure summed per value of ``key``; None where a group holds no value."""
    data = columns(table, (key, *measures))
    return {
        str(value): {name: total(data[name][data[key] == value].astype(float)) for name in measures}
        for value in np.unique(data[key].astype(str))
    }


def spread(table: pa.Table, key: str, value: str) -> tuple[Array, Array, dict[str, Array]]:
    """``value`` as one column per ``key`` over the buckets of the table: starts, ends, columns; NaN where no row."""
    data = columns(table, ("interval_start", "interval_end", key, value))
    starts, first, row = np.unique(data["interval_start"], return_index=True, return_inverse=True)
    wide: dict[str, Array] = {}
    for name in np.unique(data[key].astype(str)):
        mine = data[key] == name
        wide[name] = np.full(len(starts), np.nan)
        wide[name][row[mine]] = data[value][mine].astype(float)
    return starts, data["interval_end"][first], wide


def on(grid: Array, starts: Array, values: Array) -> Array:
    """``values`` known at ``starts``, at the instants of ``grid``; NaN elsewhere."""
    out = np.full(len(grid), np.nan)
    place = np.searchsorted(grid, starts)
    out[place] = values
    return out


def bucket_hours(data: Columns, receipt: Receipt) -> Array:
    """The hours of each row's bucket that the answer covers: what its mean power is taken over."""
    start, end = data["interval_start"], data["interval_end"]
    held = np.zeros(len(start), dtype="timedelta64[us]")
    for segment in receipt.segments:
        if segment.reason != "empty_source":
            first, last = np.datetime64(segment.window.start), np.datetime64(segment.window.end)
            held += np.maximum(np.minimum(end, last) - np.maximum(start, first), np.timedelta64(0, "us"))
    return np.asarray(held / HOUR)


def stack(generation: Answer, price: Answer, region: str) -> Stack:
    """The stack of one region, from its rows of `generation_by_fuel` and `regional_price` over the same window."""
    starts, ends, fuels = spread(generation.table, "fueltech_id", "mean_mw")
    market = columns(price.table)
    grid, first = np.unique(np.concatenate([starts, market["interval_start"]]), return_index=True)
    bands = {fuel: np.nan_to_num(values) for fuel, values in fuels.items()}
    if region != NEM:
        hours = bucket_hours(market, price.receipt)
        for fuel in ("exports", "imports"):
            flow = market[f"{fuel[:-1]}_mwh"].astype(float) / hours
            if np.nansum(flow) > 0:
                bands[fuel] = on(starts, *_known(starts, market["interval_start"], np.nan_to_num(flow)))
    order = tuple(fuel for fuel in FUELS if fuel in bands and np.any(bands[fuel] != 0))
    out: Columns = {"interval_start": grid, "interval_end": np.concatenate([ends, market["interval_end"]])[first]}
    for fuel in order:
        out[fuel] = on(grid, starts, -bands[fuel] if fuel in BELOW_ZERO else bands[fuel])
    above = [out[fuel] for fuel in order if fuel not in BELOW_ZERO]
    out["supply_mw"] = np.sum(above, axis=0) if above else np.full(len(grid), np.nan)
    out["demand_mw"] = on(grid, market["interval_start"], market["demand_mw"].astype(float))
    out["price"] = on(grid, market["interval_start"], market[price_column(region)].astype(float))
    return Stack(break_gaps(out), order)


def _known(grid: Array, starts: Array, values: Array) -> tuple[Array, Array]:
    held = np.isin(starts, grid)
    return starts[held], values[held]


def price_column(region: str) -> str:
    """Which price a region shows: its mean; for the whole market, weighted by demand."""
    return "demand_weighted_price" if region == NEM else "twa_price"


def break_gaps(data: Columns) -> Columns:
    """The same rows with one row of NaN in every stretch no row covers, so that nothing is drawn across it."""
    starts, ends = data["interval_start"], data["interval_end"]
    after = np.flatnonzero(ends[:-1] < starts[1:])
    if not after.size:
        return data
    filled = {name: np.insert(values, after + 1, np.nan) for name, values in data.items() if values.dtype.kind == "f"}
    filled["interval_start"] = np.insert(starts, after + 1, ends[after])
    filled["interval_end"] = np.insert(ends, after + 1, starts[after + 1])
    return filled


def renewable_share(generation: pa.Table) -> float | None:
    """Renewable over all generation, rooftop in both, storage and imports in neither; None while an input is missing.

    An input is missing where a region has no rooftop, or no metered generation, in a bucket the table covers.
    """
    data = columns(generation, ("interval_start", "region_id", "fueltech_id", "energy_mwh"))
    energy = data["energy_mwh"].astype(float)
    _, time = np.unique(data["interval_start"], return_inverse=True)
    _, place = np.unique(data["region_id"].astype(str), return_inverse=True)
    if not energy.size:
        return None
    cell = time * (place.max() + 1) + place
    cells = (time.max() + 1) * (place.max() + 1)
    rooftop, known = data["fueltech_id"] == ROOFTOP, ~np.isnan(energy)
    for feed in (rooftop & known, ~rooftop & known):
        if len(np.unique(cell[feed])) < cells:
            return None
    generated = total(energy[np.isin(data["fueltech_id"], _GENERATION)])
    return ratio(total(energy[np.isin(data["fueltech_id"], RENEWABLES)]) or 0.0, generated)


def fuel_rows(generation: pa.Table, duration: float, units: pa.Table | None = None) -> list[FuelRow]:
    """One row per fuel over a window of ``duration`` hours, stack order from the top; factors from ``units``' rows."""
    measures = sums(generation, "fueltech_id", ("energy_mwh", "priced_energy_mwh", "market_value_aud"))
    factors = capacity_factors(units, "fueltech_id") if units is not None else {}
    supply = sum(measures[fuel]["energy_mwh"] or 0.0 for fuel in measures if fuel in _SUPPLY)
    rows = []
    for fuel in reversed(FUELS):
        energy = measures.get(fuel, {}).get("energy_mwh")
        if not energy:
            continue
        priced, value = measures[fuel]["priced_energy_mwh"], measures[fuel]["market_value_aud"]
        rows.append(
            FuelRow(
                fuel_id=fuel,
                energy_mwh=energy,
                mean_mw=ratio(energy, duration),
                share=ratio(energy, supply) if fuel in _SUPPLY else None,
                capacity_factor=factors.get(fuel) if fuel in _SUPPLY else None,
                dwa_price=ratio(value, priced),
                market_value_aud=value,
            )
        )
    return rows


def capacity_factors(units: pa.Table, key: str) -> dict[str, float | None]:
    """Rated energy over potential per ``key``: a unit of unknown capacity is in neither."""
    measures = sums(units, key, ("rated_energy_mwh", "potential_mwh"))
    return {name: ratio(row["rated_energy_mwh"], row["potential_mwh"]) for name, row in measures.items()}


def mean_price(data: Columns, region: str) -> float | None:
    """The rows' mean price: over time, or for the whole market over demand."""
    over, under = ("demand_value_aud", "priced_demand_mwh") if region == NEM else ("rrp_sum", "interval_count")
    return ratio(total(data[over].astype(float)), total(data[under].astype(float)))


def held_hours(receipt: Receipt) -> float:
    """The hours of the receipt's window for which there is data."""
    return receipt.window.hours * receipt.coverage
