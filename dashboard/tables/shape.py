"""Tables made into what a chart or a table draws: pure functions over Arrow tables, with no asking and no widgets.

Ratios are made here only by summing numerators and denominators (tooltips state each definition).
What is missing is NaN in a column and None in a row: never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cache_store.answer import Receipt
from nem.arrays import as_arrow, as_numpy
from nem.regions import NEM

Array = npt.NDArray[Any]
Columns = dict[str, Array]

HOUR = np.timedelta64(3600, "s")
PER_HOUR = 12  # five-minute intervals


def columns(table: pa.Table, names: Iterable[str] | None = None) -> Columns:
    """Columns as NumPy arrays: numbers as floats, null as NaN, text as str objects."""
    return {name: _array(table.column(name)) for name in (names or table.column_names)}


def _array(column: pa.ChunkedArray) -> Array:
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if pa.types.is_dictionary(column.type) or pa.types.is_string(column.type):
        names, place = _encoded(column)
        return np.array(names, dtype=object)[place]
    if not len(column):
        return np.empty(0, column.type.to_pandas_dtype())
    if pa.types.is_integer(column.type):
        column = column.cast(pa.float64())
    return as_numpy(column)


def _encoded(column: pa.ChunkedArray) -> tuple[list[str | None], Array]:
    """The distinct texts of a column, and each row's place among them."""
    if not len(column):
        return [None], np.empty(0, dtype=int)
    encoded = column.combine_chunks()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    place = encoded.indices.fill_null(len(names)) if encoded.null_count else encoded.indices
    return [*names, None], as_numpy(place)


def arrow(data: Columns) -> pa.Table:
    """Columns as a table to take away: NaN as null."""
    return pa.table({name: pa.array(values, from_pandas=True) for name, values in data.items()})


def listed(rows: Sequence[Any], *names: str, **made: Callable[[Any], Any]) -> pa.Table:
    """A row for each of ``rows``: what is made of it, and its attributes of those names."""
    columns = {name: [make(row) for row in rows] for name, make in made.items()}
    columns |= {name: [getattr(row, name) for row in rows] for name in names}
    numbers = pa.float64()  # what is not known at all is one
    return pa.table(
        {
            name: pa.array(values, None if any(one is not None for one in values) else numbers)
            for name, values in columns.items()
        }
    )


def where(table: pa.Table, column: str, values: Sequence[str]) -> pa.Table:
    """The rows whose ``column`` is one of ``values``, in their order."""
    kept = np.isin(_array(table.column(column)), list(values))
    return table.filter(as_arrow(kept))


def kept(data: Columns, rows: Array) -> Columns:
    """Some of the rows, picked by a mask or by their places."""
    return {name: values[rows] for name, values in data.items()}


def total(values: Array) -> float | None:
    """The sum of what is there; None when nothing is."""
    held = values[~np.isnan(values)]
    return float(held.sum()) if held.size else None


def totals(data: Columns) -> dict[str, float | None]:
    """The sum of every column of numbers."""
    return {name: total(values) for name, values in data.items() if values.dtype.kind == "f"}


def ratio(numerator: float | None, denominator: float | None) -> float | None:
    """``numerator / denominator``; None where either is missing or the denominator is not positive."""
    if numerator is None or denominator is None or denominator <= 0:
        return None
    return numerator / denominator


def ratios(numerator: Array | float, denominator: Array) -> Array:
    """The same of every place: NaN where either is missing or the denominator is not positive."""
    return np.asarray(numerator / np.where(denominator > 0, denominator, np.nan))


def keyed(column: pa.ChunkedArray, groups: Mapping[str, str] | None = None) -> tuple[list[str], Array]:
    """The distinct texts of a column, and each row's place among them; with ``groups``, of what those map them to."""
    texts, rows = _encoded(column)
    names = [str(name) for name in texts if name is not None]
    if groups is not None:
        names = [groups.get(name, name) for name in names]
    distinct = list(dict.fromkeys(names))
    place = np.array([distinct.index(name) for name in names], dtype=int)
    return distinct, place[rows]


def added(place: Array, values: Array, size: int) -> Array:
    """The sum of ``values`` at each of ``size`` places; NaN where none is known."""
    known = ~np.isnan(values)
    out = np.bincount(place[known], values[known], minlength=size).astype(float)  # of no rows it counts, in integers
    out[np.bincount(place[known], minlength=size) == 0] = np.nan
    return out


def sums(
    table: pa.Table, key: str, measures: Sequence[str], groups: Mapping[str, str] | None = None
) -> dict[str, dict[str, float | None]]:
    """Each measure summed per value of ``key``, or per group of them; None where nothing is known."""
    names, place = keyed(table.column(key), groups)
    data = columns(table, measures)
    found = {measure: added(place, data[measure], len(names)) for measure in measures}
    return {
        name: {measure: None if np.isnan(values[at]) else float(values[at]) for measure, values in found.items()}
        for at, name in enumerate(names)
    }


def spread(
    table: pa.Table, key: str, value: str, groups: Mapping[str, str] | None = None
) -> tuple[Array, Array, dict[str, Array]]:
    """``value`` as one column per ``key``, or group of them, over the table's buckets: starts, ends, columns.

    A bucket in which a key has no row, or none with a value, is NaN there.
    """
    names, place = keyed(table.column(key), groups)
    data = columns(table, ("interval_start", "interval_end", value))
    starts, first, row = np.unique(data["interval_start"], return_index=True, return_inverse=True)
    size = len(starts)
    wide = added(place * size + row, data[value], len(names) * size).reshape(len(names), size)
    return starts, data["interval_end"][first], dict(zip(names, wide, strict=True))


def per_bucket(data: Columns, **values: Array) -> Columns:
    """Each bucket of the rows: its edges, and the sum of each of ``values`` (one a row) in it; NaN where none is known."""
    starts, first, row = np.unique(data["interval_start"], return_index=True, return_inverse=True)
    out = {"interval_start": starts, "interval_end": data["interval_end"][first]}
    return out | {name: added(row, one, len(starts)) for name, one in values.items()}


def groups(labels: Array) -> dict[str, Array]:
    """The rows that have each label, in their order."""
    names, place = np.unique(labels.astype(str), return_inverse=True)
    ends = np.cumsum(np.bincount(place, minlength=len(names)))
    return dict(zip(names.tolist(), np.split(np.argsort(place, kind="stable"), ends)[:-1], strict=True))


def on(grid: Array, starts: Array, values: Array) -> Array:
    """``values`` known at ``starts``, at the instants of ``grid``; NaN elsewhere."""
    out, shared = np.full(len(grid), np.nan), np.isin(starts, grid)
    out[np.searchsorted(grid, starts[shared])] = values[shared]
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


def price_measures(region: str) -> tuple[str, str]:
    """The sums whose ratio is the price a region shows."""
    return ("demand_value_aud", "priced_demand_mwh") if region == NEM else ("rrp_sum", "interval_count")


def mean_price(data: Columns, region: str) -> float | None:
    """The rows' mean price: over time, or for the whole market over demand."""
    over, under = price_measures(region)
    return ratio(total(data[over]), total(data[under]))


def held_hours(receipt: Receipt) -> float:
    """The hours of the receipt's window for which there is data."""
    return receipt.window.hours * receipt.coverage
