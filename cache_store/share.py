"""What is worked out over neighbouring rows: their order, and shares, the one ratio that is over other rows than its own.

In key order the rows of a bucket and region are neighbours, and adding neighbours up takes a third of the time of a
grouping and a join in SQL.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nem.fuels import LOADS


def with_shares(table: pa.Table) -> pa.Table:
    """``table``, in key order, with its column ``share``: energy over the positive energy of what is no load.

    Loads have no share, and nothing has one where there is no supply.
    """
    if not table.num_rows:
        return table
    energy = table["energy_mwh"].to_numpy()  # null as not a number, here and below
    is_load = pc.is_in(table["fueltech_id"], pa.array(LOADS)).to_numpy()
    starts = np.flatnonzero(_begins(table["interval_end"]) | _begins(table["region_id"]))
    supply = np.add.reduceat(np.where((energy > 0) & ~is_load, energy, 0.0), starts)
    supply[supply == 0] = np.nan
    share = energy / np.repeat(supply, np.diff(starts, append=len(energy)))
    share[is_load] = np.nan
    return table.set_column(table.column_names.index("share"), "share", pa.array(share, from_pandas=True))


def sorted_by(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """``table``, sorted by ``keys`` unless it is already: finding out takes a twentieth of the time of sorting."""
    if table.num_rows < 2:
        return table
    is_after, is_level = np.zeros(table.num_rows - 1, bool), np.ones(table.num_rows - 1, bool)
    for key in keys:
        values = table[key].combine_chunks()
        is_after |= is_level & pc.greater(values[1:], values[:-1]).to_numpy(zero_copy_only=False)
        is_level &= pc.equal(values[1:], values[:-1]).to_numpy(zero_copy_only=False)
    return table if (is_after | is_level).all() else table.sort_by([(key, "ascending") for key in keys])


def _begins(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Where a row differs from the one before; the first does."""
    values = column.combine_chunks()
    return np.concatenate([[True], pc.not_equal(values[1:], values[:-1]).to_numpy(zero_copy_only=False)])
