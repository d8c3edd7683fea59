"""Pivots, sums and gaps on tables small enough to work by hand."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa

from dashboard.tables import shape
from nem.windows import Window
from tests.dashboard.rows import DAY, HOUR, row


def fuel(hour: int, name: str, energy: float | None, **values):
    return row(hour, fueltech_id=name, energy_mwh=energy, mean_mw=energy, **values)


def test_what_is_missing_from_a_column_is_told_apart_from_zero():
    """Of numbers it is not a number, also of counts; of texts none; and a column of no rows keeps its kind."""
    table = pa.table({"count": [3, None, 0], "mw": [1.5, None, 0.0], "name": ["a", None, "a"], "at": [DAY] * 3})
    found = shape.columns(table)
    np.testing.assert_array_equal(found["count"], [3, np.nan, 0])
    np.testing.assert_array_equal(found["mw"], [1.5, np.nan, 0])
    assert list(found["name"]) == ["a", None, "a"]
    kinds = {name: values.dtype.kind for name, values in shape.columns(table.slice(0, 0)).items()}
    assert kinds == {"count": "i", "mw": "f", "name": "O", "at": "M"}


def test_sums_are_of_groups_and_none_where_nothing_is_known():
    table = pa.Table.from_pylist(
        [fuel(0, "wind", 1.0), fuel(1, "wind", 2.0), fuel(0, "hydro", 4.0), fuel(0, "pumps", None)]
    )
    groups = {"wind": "green", "hydro": "green", "pumps": "loads"}
    assert shape.sums(table, "fueltech_id", ("energy_mwh",), groups) == {
        "green": {"energy_mwh": 7.0},
        "loads": {"energy_mwh": None},
    }
    assert shape.sums(table, "fueltech_id", ("energy_mwh",))["wind"] == {"energy_mwh": 3.0}


def test_a_group_is_summed_bucket_by_bucket():
    table = pa.Table.from_pylist([fuel(0, "wind", 1.0), fuel(0, "hydro", 4.0), fuel(2, "hydro", 8.0)])
    starts, ends, wide = shape.spread(table, "fueltech_id", "energy_mwh", {"wind": "green", "hydro": "green"})
    assert wide["green"].tolist() == [5.0, 8.0]
    assert (starts[1], ends[0]) == (np.datetime64(DAY + 2 * HOUR), np.datetime64(DAY + HOUR))
    _, _, apart = shape.spread(table, "fueltech_id", "energy_mwh")
    assert np.isnan(apart["wind"]).tolist() == [False, True]


def test_no_rows_spread_to_nothing():
    table = pa.Table.from_pylist([fuel(0, "wind", 1.0)]).slice(0, 0)
    starts, _, wide = shape.spread(table, "fueltech_id", "energy_mwh")
    assert (len(starts), wide) == (0, {})


def test_a_gap_becomes_one_row_of_nothing():
    edges = [DAY, DAY + HOUR, DAY + 3 * HOUR, DAY + 4 * HOUR]
    columns = {"interval_start": np.array(edges[::2], "M8[us]"), "interval_end": np.array(edges[1::2], "M8[us]")}
    filled = shape.break_gaps({**columns, "wind": np.array([60.0, 30.0])})
    assert np.isnan(filled["wind"]).tolist() == [False, True, False]
    assert filled["interval_start"][1] == np.datetime64(DAY + HOUR)
    assert filled["interval_end"][1] == np.datetime64(DAY + 3 * HOUR)


def test_hours_of_a_bucket_are_those_the_answer_covers(answer):
    window = Window(DAY + timedelta(minutes=45), DAY + 2 * HOUR)
    made = answer([fuel(0, "wind", 1.0), fuel(1, "wind", 1.0)], window)
    assert shape.bucket_hours(shape.columns(made.table), made.receipt).tolist() == [0.25, 1.0]


def test_a_sum_of_nothing_is_nothing():
    assert shape.total(np.array([np.nan, np.nan])) is None
    assert shape.ratio(1.0, 0.0) is None
    assert shape.ratio(None, 2.0) is None
    assert shape.ratio(-4.0, 2.0) == -2.0
