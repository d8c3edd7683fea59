"""What is worked out on read from the rows of an answer: interval edges, whether a bucket is complete, ratios.

Not in the statement that reads them: binding forty expressions takes DuckDB longer than reading a day's rows. And in key
order the rows of a bucket are neighbours, which need no grouping.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cache_store.catalogue import Query
from nem.arrays import as_arrow, as_numpy
from nem.fuels import LOADS
from nem.windows import Resolution, Window, bucket_edges

Places = np.ndarray[tuple[int], np.dtype[np.int64]]  # numbers of rows
SECOND = np.timedelta64(1, "s")
_ZERO, _NONE = as_arrow(np.zeros(1))[0], pa.nulls(1)[0]


def derived(query: Query, resolution: Resolution, window: Window, rows: pa.Table, held: Sequence[Window]) -> pa.Table:
    """``rows`` of ``query`` over ``window``, put in key order, with their interval's edges, ``complete`` and ratios.

    ``held`` are the stretches of the window that the rows are of, none in two: a bucket is complete if all of it is.
    """
    rows, keys, starts = sorted_by(rows, query.keys)
    labels, rows_each = as_numpy(keys[0])[starts[0]], np.diff(starts[0], append=len(rows))
    edges = bucket_edges(window, resolution)
    place = np.searchsorted(edges, labels)
    start, end = edges[place - 1], edges[place]
    none = np.timedelta64(0, "us")
    seconds = np.zeros(len(labels), "int64")
    for part in held:
        first, last = np.datetime64(part.start), np.datetime64(part.end)
        seconds += np.maximum(np.minimum(end, last) - np.maximum(start, first), none) // SECOND

    def by_row(of_bucket: np.ndarray[Any, Any]) -> pa.Array:
        return as_arrow(np.repeat(of_bucket, rows_each))

    def alike(of_bucket: np.ndarray[Any, Any]) -> Any:
        # One value for all, as nearly always: no column of it.
        same = len(of_bucket) > 0 and (of_bucket == of_bucket[0]).all()
        return as_arrow(of_bucket[:1])[0] if same else by_row(of_bucket)

    known = {name: rows[name] for name in query.columns}
    known |= {"hours": alike(seconds / 3600), "intervals": alike(seconds // 300)}
    if "share" in query.ratios:
        known["supply_mwh"] = _supply(rows["energy_mwh"], keys[2], starts[1])
    return pa.table(
        {
            "interval_start": by_row(start),
            "interval_end": known["settlement_date"],
            "complete": by_row((end - start) // SECOND == seconds),
            **{name: known[name] for name in (*query.keys[1:], *query.measures)},
            **{name: evaluate(ratio.expression, known).cast(pa.float64()) for name, ratio in query.ratios.items()},
        }
    )


def evaluate(expression: str, known: Mapping[str, Any]) -> Any:
    """An expression of the catalogue over columns: names, numbers, ``+``, ``-``, ``*``, and ``/``.

    A quotient is null where its denominator is not positive; whatever needs a null is null.
    """
    return _value(_parsed(expression), known)


@cache
def _parsed(expression: str) -> ast.expr:
    return ast.parse(expression, mode="eval").body


def _value(node: ast.expr, known: Mapping[str, Any]) -> Any:
    match node:
        case ast.Name(name):
            return known[name]
        case ast.Constant(number):
            return as_arrow(np.array([number]))[0]
        case ast.BinOp(left, operator, right):
            return _OPERATORS[type(operator)](_value(left, known), _value(right, known))
    raise TypeError(f"a ratio cannot hold {ast.unparse(node)}")


def _over(numerator: Any, denominator: Any) -> Any:
    positive = pc.if_else(pc.greater(denominator, _ZERO), denominator, _NONE)
    return pc.divide(pc.cast(numerator, pa.float64()), positive)


_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: pc.add,
    ast.Sub: pc.subtract,
    ast.Mult: pc.multiply,
    ast.Div: _over,
}


def _supply(energy_mwh: pa.ChunkedArray, fuels: pa.Array, starts: Places) -> Any:
    """By row the positive energy, of its bucket and region, of all that is no load; null of loads, which have no share.

    ``starts`` are the first rows of each bucket and region.
    """
    energy = as_numpy(energy_mwh)
    # One comparison each: `is_in` takes three times as long as two of them.
    is_load = np.logical_or.reduce([as_numpy(pc.equal(fuels, load)) for load in _texts(LOADS)])
    supply = np.add.reduceat(np.where((energy > 0) & ~is_load, energy, 0.0), starts)
    return pc.if_else(as_arrow(is_load), _NONE, as_arrow(np.repeat(supply, np.diff(starts, append=len(energy)))))


def only(table: pa.Table, filters: Mapping[str, Iterable[str]]) -> pa.Table:
    """The rows whose columns hold one of the values that ``filters`` have for them."""
    for name, values in filters.items():
        table = table.filter(pc.is_in(table[name], value_set=_texts(values)))
    return table


def _texts(values: Iterable[str]) -> pa.StringArray:
    """By hand: pyarrow's own way of making one imports pandas."""
    texts = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, texts)], dtype="int32")
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(b"".join(texts)))


def sorted_by(table: pa.Table, keys: Sequence[str]) -> tuple[pa.Table, list[pa.Array], list[Places]]:
    """``table``, sorted by ``keys`` unless it is already; its keys; and for each but the last where it or one before changes.

    The first row counts as a change. Finding out takes a twentieth of the time of sorting.
    """
    columns = [table[key].combine_chunks() for key in keys]
    is_sorted, starts = _order(columns)
    if is_sorted:
        return table, columns, starts
    table = table.sort_by([(key, "ascending") for key in keys])
    columns = [table[key].combine_chunks() for key in keys]
    return table, columns, _order(columns)[1]


def _order(keys: Sequence[pa.Array]) -> tuple[bool, list[Places]]:
    """Whether rows are in order of ``keys``, and where groups of them start, as ``sorted_by`` gives them."""
    first, *others, last = keys
    labels, begins = as_numpy(first), np.ones(len(first), bool)
    begins[1:] = labels[1:] != labels[:-1]
    starts = [np.flatnonzero(begins)]
    heads = labels[starts[0]]
    is_sorted = bool((heads[1:] > heads[:-1]).all())
    for values in others:
        # Compared for order only where it changes and nothing before it does: mostly it is level.
        changes = np.flatnonzero(as_numpy(pc.not_equal(values[1:], values[:-1])) & ~begins[1:])
        rises = pc.greater(values.take(as_arrow(changes + 1)), values.take(as_arrow(changes)))
        is_sorted = is_sorted and bool(as_numpy(rises).all())
        begins[changes + 1] = True
        starts.append(np.flatnonzero(begins))
    rises = pc.greater_equal(last[1:], last[:-1])
    return is_sorted and bool((as_numpy(rises) | begins[1:]).all()), starts
