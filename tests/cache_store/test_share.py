"""Order and shares by hand."""

from __future__ import annotations

import itertools

import pyarrow as pa
import pytest

from cache_store.share import sorted_by, with_shares

ROWS = [(1, "NSW1", "coal_black"), (1, "NSW1", "wind"), (1, "SA1", "wind"), (2, "NSW1", "wind")]
KEYS = ("interval_end", "region_id", "fueltech_id")


def table_of(rows):
    return pa.table(dict(zip(KEYS, zip(*rows, strict=True), strict=True)))


@pytest.mark.parametrize("rows", list(itertools.permutations(ROWS)))
def test_rows_in_any_order_are_sorted(rows):
    assert sorted_by(table_of(rows), KEYS).equals(table_of(ROWS))


def test_rows_in_order_are_left_as_they_are():
    table = table_of(ROWS)
    assert sorted_by(table, KEYS) is table


def test_shares_are_of_what_is_supplied_in_the_region_and_bucket():
    rows = [
        (1, "NSW1", "battery_charging", 7.0, None),
        (1, "NSW1", "coal_black", -1.0, -0.25),
        (1, "NSW1", "hydro", None, None),
        (1, "NSW1", "pumps", 5.0, None),
        (1, "NSW1", "solar_utility", 3.0, 0.75),
        (1, "NSW1", "wind", 1.0, 0.25),
        (1, "SA1", "wind", 2.0, 1.0),
        (2, "SA1", "wind", 0.0, None),
    ]
    *columns, shares = zip(*rows, strict=True)
    named = dict(zip((*KEYS, "energy_mwh"), columns, strict=True))
    table = pa.table(named | {"share": pa.nulls(len(rows), pa.float64())})
    assert with_shares(table)["share"].to_pylist() == list(shares)
