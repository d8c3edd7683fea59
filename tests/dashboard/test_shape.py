"""Pivots, sums and ratios on tables small enough to work by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from dashboard.tables import shape
from nem.windows import Window

DAY = datetime(2024, 2, 29)
HOUR = timedelta(hours=1)


def row(hour: int, **values):
    start = DAY + hour * HOUR
    return {"interval_start": start, "interval_end": start + HOUR, "complete": True, "region_id": "SA1", **values}


def fuel(hour: int, name: str, energy: float | None, **values):
    return row(hour, fueltech_id=name, energy_mwh=energy, mean_mw=energy, **values)


def price(hour: int, **values):
    flows = {"import_mwh": 0.0, "export_mwh": 0.0, "demand_mw": 100.0, "twa_price": 40.0}
    return row(hour, **{**flows, "demand_weighted_price": 41.0, **values})


def hours(first: int, last: int) -> Window:
    return Window(DAY + first * HOUR, DAY + last * HOUR)


def test_a_stack_draws_loads_and_exports_below_zero_in_fuel_order(answer):
    generation = answer(
        [fuel(0, "wind", 60.0), fuel(0, "battery_charging", 5.0), fuel(0, "gas_ccgt", 30.0)], hours(0, 1)
    )
    prices = answer([price(0, export_mwh=12.0)], hours(0, 1), query="regional_price")
    drawn = shape.stack(generation, prices, "SA1")
    assert drawn.fuels == ("battery_charging", "exports", "gas_ccgt", "wind")
    assert {name: drawn.columns[name].tolist() for name in drawn.fuels} == {
        "battery_charging": [-5.0],
        "exports": [-12.0],
        "gas_ccgt": [30.0],
        "wind": [60.0],
    }
    assert drawn.columns["supply_mw"].tolist() == [90.0]
    assert drawn.columns["price"].tolist() == [40.0]


def test_the_market_has_no_exchanges_and_a_demand_weighted_price(answer):
    generation = answer([fuel(0, "wind", 60.0)], hours(0, 1))
    prices = answer([price(0, import_mwh=None, export_mwh=None)], hours(0, 1))
    drawn = shape.stack(generation, prices, "NEM")
    assert drawn.fuels == ("wind",)
    assert drawn.columns["price"].tolist() == [41.0]


def test_a_flow_of_part_of_a_bucket_is_taken_over_that_part(answer):
    window = Window(DAY, DAY + timedelta(minutes=30))
    generation, prices = answer([fuel(0, "wind", 60.0)], window), answer([price(0, import_mwh=6.0)], window)
    assert shape.stack(generation, prices, "SA1").columns["imports"].tolist() == [12.0]


def test_a_gap_becomes_one_row_of_nothing(answer):
    generation = answer([fuel(0, "wind", 60.0), fuel(3, "wind", 30.0)], hours(0, 4))
    prices = answer([price(0), price(3)], hours(0, 4))
    columns = shape.stack(generation, prices, "SA1").columns
    assert np.isnan(columns["wind"]).tolist() == [False, True, False]
    assert columns["interval_start"][1] == np.datetime64(DAY + HOUR)
    assert columns["interval_end"][1] == np.datetime64(DAY + 3 * HOUR)


def test_a_fuel_without_a_row_in_a_covered_bucket_gives_nothing_to_the_stack(answer):
    generation = answer([fuel(0, "wind", 60.0), fuel(0, "hydro", 5.0), fuel(1, "wind", 30.0)], hours(0, 2))
    columns = shape.stack(generation, answer([price(0), price(1)], hours(0, 2)), "SA1").columns
    assert columns["hydro"].tolist() == [5.0, 0.0]
    assert columns["supply_mw"].tolist() == [65.0, 30.0]


class TestRenewableShare:
    """J9: rooftop on both sides, storage and imports in neither, none at all while an input is missing."""

    ROWS = (("wind", 30.0), ("solar_rooftop", 10.0), ("gas_ccgt", 60.0), ("battery_discharging", 40.0), ("pumps", 7.0))

    def share(self, *rows):
        return shape.renewable_share(pa.Table.from_pylist(list(rows)))

    def test_is_summed_then_divided(self):
        first = [fuel(0, name, energy) for name, energy in self.ROWS]
        second = [fuel(1, "wind", 0.0), fuel(1, "solar_rooftop", 0.0), fuel(1, "gas_ccgt", 300.0)]
        assert self.share(*first) == pytest.approx(0.4)
        assert self.share(*first, *second) == pytest.approx(40 / 400)

    def test_is_unknown_where_rooftop_is_missing(self):
        assert self.share(fuel(0, "wind", 30.0), fuel(0, "gas_ccgt", 60.0)) is None
        assert self.share(fuel(0, "wind", 30.0), fuel(0, "solar_rooftop", None)) is None

    def test_is_unknown_where_one_bucket_lacks_rooftop(self):
        rows = [fuel(0, name, energy) for name, energy in self.ROWS]
        assert self.share(*rows, fuel(1, "wind", 1.0)) is None

    def test_is_unknown_where_only_rooftop_reports(self):
        assert self.share(fuel(0, "solar_rooftop", 10.0)) is None

    def test_is_unknown_where_nothing_generates(self):
        assert self.share(fuel(0, "wind", 0.0), fuel(0, "solar_rooftop", 0.0)) is None

    def test_of_no_rows_is_unknown(self):
        assert shape.renewable_share(pa.Table.from_pylist([fuel(0, "wind", 1.0)]).slice(0, 0)) is None


def test_fuel_rows_divide_sums_and_leave_loads_out_of_supply():
    def priced(hour, name, energy, priced_energy, value):
        return fuel(hour, name, energy, priced_energy_mwh=priced_energy, market_value_aud=value)

    rows = shape.fuel_rows(
        pa.Table.from_pylist(
            [
                priced(0, "wind", 10.0, 10.0, 400.0),
                priced(1, "wind", 30.0, 20.0, 200.0),
                priced(0, "pumps", 8.0, 8.0, 80.0),
                priced(0, "battery_discharging", 10.0, 10.0, -50.0),
                priced(0, "distillate", 0.0, 0.0, 0.0),
            ]
        ),
        duration=2.0,
    )
    wind, battery, pumps = rows
    assert (wind.energy_mwh, wind.mean_mw, wind.share) == (40.0, 20.0, 0.8)
    assert wind.dwa_price == 20.0  # 600 / 30: the unpriced 10 MWh are in neither sum
    assert (battery.share, battery.dwa_price) == (0.2, -5.0)
    assert (pumps.fuel_id, pumps.share, pumps.capacity_factor) == ("pumps", None, None)


def test_capacity_factors_leave_unknown_capacity_out_of_both_sums():
    units = pa.table(
        {
            "fueltech_id": ["wind", "wind", "wind", "hydro"],
            "rated_energy_mwh": [50.0, 10.0, None, None],
            "potential_mwh": [660.0, 10.0, None, None],
        }
    )
    assert shape.capacity_factors(units, "fueltech_id") == {"hydro": None, "wind": pytest.approx(60 / 670)}


def test_hours_of_a_bucket_are_those_the_answer_covers(answer):
    window = Window(DAY + timedelta(minutes=45), DAY + 2 * HOUR)
    made = answer([fuel(0, "wind", 1.0), fuel(1, "wind", 1.0)], window)
    assert shape.bucket_hours(shape.columns(made.table), made.receipt).tolist() == [0.25, 1.0]


def test_a_sum_of_nothing_is_nothing():
    assert shape.total(np.array([np.nan, np.nan])) is None
    assert shape.ratio(1.0, 0.0) is None
    assert shape.ratio(None, 2.0) is None
    assert shape.ratio(-4.0, 2.0) == -2.0
