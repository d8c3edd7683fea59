"""Order, ratios and shares by hand."""

from __future__ import annotations

import itertools
from datetime import datetime

import pyarrow as pa
import pytest

from cache_store.catalogue import CATALOGUE
from cache_store.derive import derived, evaluate, sorted_by
from nem.windows import Window

ROWS = [(1, "NSW1", "coal_black"), (1, "NSW1", "wind"), (1, "SA1", "wind"), (2, "NSW1", "wind")]
KEYS = ("interval_end", "region_id", "fueltech_id")


def table_of(rows):
    return pa.table(dict(zip(KEYS, zip(*rows, strict=True), strict=True)))


@pytest.mark.parametrize("rows", list(itertools.permutations(ROWS)))
def test_rows_in_any_order_are_sorted(rows):
    table, _, starts = sorted_by(table_of(rows), KEYS)
    assert table.equals(table_of(ROWS))
    assert [list(places) for places in starts] == [[0, 3], [0, 2, 3]]


def test_rows_in_order_are_left_as_they_are():
    table = table_of(ROWS)
    assert sorted_by(table, KEYS)[0] is table


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("energy_mwh / hours", [2.0, None, -4.0]),
        ("energy_mwh / count", [0.25, None, None]),  # by 0
        ("count - energy_mwh", [3.0, None, 2.0]),
        ("(energy_mwh + count) * 12 / hours", [120.0, None, -48.0]),
        ("energy_mwh - count * 2 - count", [-11.0, None, -2.0]),
        ("count", [4, 5, 0]),
        ("hours / energy_mwh", [0.5, None, None]),  # by less than 0
    ],
)
def test_an_expression_is_null_where_it_cannot_be_told(expression, value):
    columns = {"energy_mwh": [1.0, None, -2.0], "count": [4, 5, 0], "hours": [0.5, 0.5, 0.5]}
    known = {name: pa.chunked_array([values[:1], values[1:]]) for name, values in columns.items()}
    assert evaluate(expression, known).to_pylist() == value


@pytest.mark.parametrize("expression", ["open('x')", "hours.__class__", "hours ** 2", "hours // 2"])
def test_an_expression_holds_arithmetic_alone(expression):
    with pytest.raises((TypeError, KeyError)):
        evaluate(expression, {"hours": pa.chunked_array([[1.0]])})


def test_shares_are_of_what_is_supplied_in_the_region_and_bucket():
    first, second = datetime(2024, 1, 1, 0, 30), datetime(2024, 1, 1, 1)
    told = [
        (first, "NSW1", "battery_charging", 7.0, None),
        (first, "NSW1", "coal_black", -1.0, -0.25),
        (first, "NSW1", "hydro", None, None),
        (first, "NSW1", "pumps", 5.0, None),
        (first, "NSW1", "solar_utility", 3.0, 0.75),
        (first, "NSW1", "wind", 1.0, 0.25),
        (first, "SA1", "wind", 2.0, 1.0),
        (second, "SA1", "wind", 0.0, None),
    ]
    labels, regions, fuels, energy, shares = zip(*told, strict=True)
    query = CATALOGUE["generation_by_fuel"]
    table = rows_of(query, settlement_date=labels, region_id=regions, fueltech_id=fuels, energy_mwh=energy)
    window = Window(datetime(2024, 1, 1), second)
    assert derived(query, "30min", window, table, [window])["share"].to_pylist() == list(shares)


def test_a_bucket_is_complete_where_all_of_it_is_held():
    query = CATALOGUE["regional_price"]
    labels = [datetime(2024, 1, 31), datetime(2024, 2, 1), datetime(2024, 2, 2), datetime(2024, 2, 3)]
    window = Window(datetime(2024, 1, 30, 6), datetime(2024, 2, 2, 12))
    held = [Window(window.start, datetime(2024, 2, 1, 3)), Window(datetime(2024, 2, 1, 9), window.end)]
    table = rows_of(query, settlement_date=labels, region_id=["NSW1"] * 4, demand_mwh=[36.0] * 4)
    answer = derived(query, "1d", window, table, held)
    assert answer["complete"].to_pylist() == [False, True, False, False]
    assert answer["demand_mw"].to_pylist() == [2.0, 1.5, 2.0, 3.0]  # over 18, 24, 18 and 12 h
    assert answer["interval_start"].to_pylist() == [datetime(2024, 1, 30), *labels[:3]]
    assert answer["interval_end"].to_pylist() == labels


@pytest.mark.parametrize("query", CATALOGUE.values(), ids=lambda query: query.name)
def test_no_rows_derive_none(query):
    window = Window(datetime(2024, 1, 1), datetime(2024, 2, 1))
    answer = derived(query, "1M", window, rows_of(query).slice(0, 0), [window])
    assert answer.num_rows == 0
    assert all(answer.schema.field(name).type == pa.float64() for name in query.ratios)


def rows_of(query, **columns):
    """Rows with nulls in the columns not given."""
    kinds = {"TIMESTAMP": pa.timestamp("us"), "VARCHAR": pa.string(), "DOUBLE": pa.float64(), "BIGINT": pa.int64()}
    count = max((len(values) for values in columns.values()), default=1)
    return pa.table(
        {
            name: pa.array(columns.get(name, [None] * count), kinds[column.type])
            for name, column in query.columns.items()
        }
    )
