"""The oracle gives the numbers that tests/tiny_nem/README.md works by hand; each case names its line there."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from nem.windows import Window
from tests.oracle import compare, expected, read_raw
from tests.tiny_nem import FIRST_OF_MARCH, LEAP_DAY, WINDOW, raw_tables

TINY = raw_tables()
ROOT = Path(__file__).parents[1]

FUEL = [
    (1, LEAP_DAY, "NSW1", "coal_black", "energy_mwh", 1382.5),
    (2, FIRST_OF_MARCH, "NSW1", "coal_black", "energy_mwh", 1438),
    (2, FIRST_OF_MARCH, "NSW1", "coal_black", "reading_count", 287),
    (2, FIRST_OF_MARCH, "NSW1", "coal_black", "provisional_count", 2),
    (2, FIRST_OF_MARCH, "NSW1", "coal_black", "missing_count", 1),
    (3, LEAP_DAY, "NSW1", "hydro", "energy_mwh", 720),
    (4, LEAP_DAY, "NSW1", "pumps", "energy_mwh", 23.98),
    (4, LEAP_DAY, "NSW1", "pumps", "priced_energy_mwh", 24),
    (4, LEAP_DAY, "NSW1", "pumps", "share", None),
    (5, LEAP_DAY, "SA1", "solar_utility", "energy_mwh", 288),
    (6, LEAP_DAY, "SA1", "battery_charging", "energy_mwh", 35),
    (7, LEAP_DAY, "SA1", "battery_discharging", "energy_mwh", 23),
    (9, LEAP_DAY, "unknown", "unknown", "energy_mwh", 2.5),
    (9, LEAP_DAY, "unknown", "unknown", "mean_mw", 2.5 / 24),
    (9, LEAP_DAY, "unknown", "unknown", "market_value_aud", None),
    (10, FIRST_OF_MARCH, "SA1", "wind", "energy_mwh", 287),
    (11, LEAP_DAY, "NSW1", "solar_rooftop", "energy_mwh", 106.5),
    (11, LEAP_DAY, "NSW1", "solar_rooftop", "reading_count", 42),
    (11, LEAP_DAY, "NSW1", "solar_rooftop", "provisional_count", 24),
    (12, LEAP_DAY, "SA1", "solar_rooftop", "energy_mwh", 6),
    (12, FIRST_OF_MARCH, "SA1", "solar_rooftop", "energy_mwh", 15),
    (13, FIRST_OF_MARCH, "NSW1", "unknown", "energy_mwh", 144),
    (14, LEAP_DAY, "NSW1", "coal_black", "market_value_aud", 84_125),
    (15, LEAP_DAY, "NSW1", "coal_black", "dwa_price", 84_125 / 1382.5),
    (16, LEAP_DAY, "SA1", "solar_utility", "dwa_price", 20),
    (17, FIRST_OF_MARCH, "SA1", "solar_utility", "market_value_aud", 11_280),
    (17, FIRST_OF_MARCH, "SA1", "solar_utility", "priced_energy_mwh", 284),
    (9, LEAP_DAY, "unknown", "unknown", "priced_energy_mwh", None),
    (17, FIRST_OF_MARCH, "SA1", "solar_utility", "dwa_price", 11_280 / 284),
    (18, LEAP_DAY, "SA1", "battery_charging", "market_value_aud", -700),
    (19, LEAP_DAY, "SA1", "battery_discharging", "dwa_price", -280 / 23),
    (20, LEAP_DAY, "SA1", "wind", "share", 288 / 605),
    (21, LEAP_DAY, "NEM", "wind", "share", 288 / 2816.5),
    (54, LEAP_DAY, "SA1", "solar_utility", "negative_price_energy_mwh", 96),
    (54, LEAP_DAY, "SA1", "solar_utility", "negative_price_share", 1 / 3),
    (54, LEAP_DAY, "SA1", "battery_discharging", "negative_price_share", 20 / 23),
    (55, FIRST_OF_MARCH, "SA1", "solar_utility", "negative_price_energy_mwh", 0),
    (9, LEAP_DAY, "unknown", "unknown", "negative_price_energy_mwh", None),
    (26, LEAP_DAY, "SA1", "gas_ocgt", "energy_mwh", None),
    (26, LEAP_DAY, "SA1", "gas_ocgt", "missing_count", 288),
]
UNITS = [
    (6, LEAP_DAY, "BATT1", "charge_mwh", 35),
    (56, LEAP_DAY, "BATT1", "priced_charge_mwh", 35),
    (56, LEAP_DAY, "BATT1", "storage_mwh", 80),
    (56, LEAP_DAY, "SOLAR1", "storage_mwh", None),
    (7, LEAP_DAY, "BATT1", "energy_mwh", 23),
    (18, LEAP_DAY, "BATT1", "charge_value_aud", -700),
    (19, LEAP_DAY, "BATT1", "market_value_aud", -280),
    (7, LEAP_DAY, "BATT1", "running_count", 12),
    (7, LEAP_DAY, "BATT1", "max_mw", 24),
    (4, LEAP_DAY, "PUMP1", "charge_mwh", 23.98),
    (4, LEAP_DAY, "PUMP1", "energy_mwh", 0),
    (9, LEAP_DAY, "MYSTERY1", "energy_mwh", 2.5),
    (9, LEAP_DAY, "MYSTERY1", "potential_mwh", None),
    (22, LEAP_DAY, "COAL1", "capacity_factor", 1382.5 / 2880),
    (22, LEAP_DAY, "COAL1", "running_count", 277),
    (23, LEAP_DAY, "HYDRO1", "capacity_factor", 1 / 2),
    (23, FIRST_OF_MARCH, "HYDRO1", "capacity_factor", 1 / 3),
    (24, LEAP_DAY, "SOLAR1", "capacity_factor", 0.24),
    (25, LEAP_DAY, "WIND1", "energy_mwh", 288),
    (25, LEAP_DAY, "WIND1", "rated_energy_mwh", None),
    (25, LEAP_DAY, "WIND1", "potential_mwh", None),
    (25, LEAP_DAY, "WIND1", "capacity_factor", None),
    (26, LEAP_DAY, "IDLE1", "potential_mwh", 2400),
    (26, LEAP_DAY, "IDLE1", "capacity_factor", None),
]
PRICES = [
    (27, LEAP_DAY, "NSW1", "twa_price", 17_400 / 288),
    (53, LEAP_DAY, "NSW1", "provisional_count", 0),
    (53, FIRST_OF_MARCH, "NSW1", "provisional_count", 3),
    (53, FIRST_OF_MARCH, "SA1", "provisional_count", 0),
    (28, LEAP_DAY, "NSW1", "band_below_0_count", 0),
    (28, LEAP_DAY, "NSW1", "band_0_300_count", 284),
    (28, LEAP_DAY, "NSW1", "band_0_300_rrp_sum", 14_200),
    (28, LEAP_DAY, "NSW1", "band_300_1000_rrp_sum", 700),
    (28, LEAP_DAY, "NSW1", "band_1000_up_count", 2),
    (29, LEAP_DAY, "NSW1", "cap_payout_aud_per_mw", 2000 / 12),
    (30, LEAP_DAY, "NSW1", "demand_weighted_price", 206_000 / 2_920),
    (31, LEAP_DAY, "SA1", "twa_price", 35),
    (31, LEAP_DAY, "SA1", "negative_share", 1 / 12),
    (32, FIRST_OF_MARCH, "SA1", "twa_price", 286 * 40 / 287),
    (33, FIRST_OF_MARCH, "SA1", "demand_mwh", 1507),
    (33, FIRST_OF_MARCH, "SA1", "priced_demand_mwh", 1501.5),
    (33, FIRST_OF_MARCH, "SA1", "demand_operational_count", 144),
    (34, FIRST_OF_MARCH, "SA1", "demand_weighted_price", 59_840 / 1501.5),
    (35, LEAP_DAY, "NEM", "demand_weighted_price", 256_400 / 4_360),
    (35, LEAP_DAY, "NEM", "twa_price", None),
    (36, LEAP_DAY, "NSW1", "export_mwh", 216),
    (36, LEAP_DAY, "NSW1", "import_mwh", 72),
    (36, LEAP_DAY, "SA1", "import_mwh", 216),
]

FLOWS = [
    (37, LEAP_DAY, "NSW1-SA1", "forward_mwh", 731),
    (37, LEAP_DAY, "NSW1-SA1", "rated_forward_mwh", 731),
    (37, LEAP_DAY, "NSW1-SA1", "max_mw", 60),
    (38, LEAP_DAY, "NSW1-SA1", "reverse_mwh", 420.5),
    (38, LEAP_DAY, "NSW1-SA1", "min_mw", -36),
    (40, LEAP_DAY, "NSW1-SA1", "mean_mw", 12.9375),
    (41, LEAP_DAY, "NSW1-SA1", "forward_limit_mwh", 2160),
    (41, LEAP_DAY, "NSW1-SA1", "reverse_limit_mwh", 1216),
    (42, LEAP_DAY, "NSW1-SA1", "forward_utilisation", 731 / 2160),
    (42, LEAP_DAY, "NSW1-SA1", "reverse_utilisation", 420.5 / 1216),
    (43, LEAP_DAY, "NSW1-SA1", "at_forward_limit_count", 22),
    (44, LEAP_DAY, "NSW1-SA1", "at_reverse_limit_count", 14),
    (44, LEAP_DAY, "NSW1-SA1", "at_both_limits_count", 2),
    (45, LEAP_DAY, "NSW1-SA1", "at_limit_share", 34 / 288),
    (46, FIRST_OF_MARCH, "NSW1-SA1", "forward_mwh", 546),
    (46, FIRST_OF_MARCH, "NSW1-SA1", "reverse_mwh", 22),
    (47, FIRST_OF_MARCH, "NSW1-SA1", "mean_mw", 524 * 12 / 286),
    (47, FIRST_OF_MARCH, "NSW1-SA1", "reading_count", 286),
    (47, FIRST_OF_MARCH, "NSW1-SA1", "provisional_count", 3),
    (47, FIRST_OF_MARCH, "NSW1-SA1", "missing_count", 2),
    (48, FIRST_OF_MARCH, "NSW1-SA1", "forward_limit_mwh", 2288),
    (48, FIRST_OF_MARCH, "NSW1-SA1", "reverse_limit_mwh", 856),
    (49, FIRST_OF_MARCH, "NSW1-SA1", "forward_utilisation", 546 / 2288),
    (49, FIRST_OF_MARCH, "NSW1-SA1", "rated_reverse_mwh", 0),
    (49, FIRST_OF_MARCH, "NSW1-SA1", "reverse_utilisation", 0),
    (50, FIRST_OF_MARCH, "NSW1-SA1", "at_forward_limit_count", 12),
    (50, FIRST_OF_MARCH, "NSW1-SA1", "at_limit_share", 12 / 214),
    (51, LEAP_DAY, "NSW1-SA1", "losses_mwh", 28.8),
    (51, FIRST_OF_MARCH, "NSW1-SA1", "losses_mwh", 14.4),
    (52, FIRST_OF_MARCH, "NEW-LINK1", "forward_mwh", 144),
    (52, FIRST_OF_MARCH, "NEW-LINK1", "mean_mw", 12),
    (52, FIRST_OF_MARCH, "NEW-LINK1", "missing_count", 144),
    (52, FIRST_OF_MARCH, "NEW-LINK1", "forward_utilisation", None),
    (52, FIRST_OF_MARCH, "NEW-LINK1", "at_limit_share", None),
]


def _only(table, column):
    assert len(table) == 1
    value = table[column].iloc[0]
    return None if np.isnan(value) else pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("line", "window", "region", "fuel", "column", "value"), FUEL)
def test_generation_is_what_was_worked_by_hand(line, window, region, fuel, column, value):
    table = expected("generation_by_fuel", TINY, window, "1d", region, {"fueltech_id": fuel})
    assert _only(table, column) == value, f"README line {line}"


@pytest.mark.parametrize(("line", "window", "duid", "column", "value"), UNITS)
def test_units_are_what_was_worked_by_hand(line, window, duid, column, value):
    table = expected("capacity_factor", TINY, window, "1d", filters={"duid": [duid]})
    assert _only(table, column) == value, f"README line {line}"


@pytest.mark.parametrize(("line", "window", "region", "column", "value"), PRICES)
def test_prices_are_what_was_worked_by_hand(line, window, region, column, value):
    assert _only(expected("regional_price", TINY, window, "1d", region), column) == value, f"README line {line}"


@pytest.mark.parametrize(("line", "window", "link", "column", "value"), FLOWS)
def test_flows_are_what_was_worked_by_hand(line, window, link, column, value):
    table = expected("interconnector_flow", TINY, window, "1d", filters={"interconnector_id": [link]})
    assert _only(table, column) == value, f"README line {line}"


def test_a_half_hour_can_hold_flow_both_ways():
    window = Window(datetime(2024, 2, 29, 12), datetime(2024, 2, 29, 12, 30))
    (link,) = expected("interconnector_flow", TINY, window, "30min").to_dict("records")
    assert (link["forward_mwh"], link["reverse_mwh"]) == (11, 9)


def test_a_half_hour_can_hold_charge_and_discharge():
    window = Window(datetime(2024, 2, 29, 12), datetime(2024, 2, 29, 12, 30))
    table = expected("generation_by_fuel", TINY, window, "30min", "SA1")
    assert dict(zip(table.fueltech_id, table.energy_mwh, strict=True)) == pytest.approx(
        {
            "battery_charging": 3.5,
            "battery_discharging": 8,
            "gas_ocgt": np.nan,
            "solar_utility": 24,
            "wind": 6,
        },
        nan_ok=True,
    )


def test_midnight_belongs_to_the_day_and_month_before():
    midnight = Window(datetime(2024, 2, 29, 23, 55), datetime(2024, 3, 1))
    (row,) = expected("capacity_factor", TINY, midnight, "1M", filters={"duid": "HYDRO1"}).to_dict("records")
    assert (row["interval_start"], row["interval_end"]) == (datetime(2024, 2, 1), datetime(2024, 3, 1))
    assert not row["complete"]
    assert row["potential_mwh"] == 5  # the capacity of the day that ends
    months = expected("capacity_factor", TINY, WINDOW, "1M", filters={"duid": "HYDRO1"})
    assert months.potential_mwh.tolist() == pytest.approx([1440, 2160])


def test_a_row_stands_where_only_price_or_only_demand_is_known():
    table = expected("regional_price", TINY, FIRST_OF_MARCH, "5min", "SA1").set_index("interval_end")
    assert len(table) == 288
    unpriced, undemanded = table.loc[datetime(2024, 3, 1, 10)], table.loc[datetime(2024, 3, 1, 20)]
    assert (unpriced.interval_count, unpriced.demand_mwh) == (0, 5.5)
    assert np.isnan(unpriced.rrp_sum)
    assert undemanded.rrp_sum == 40
    assert np.isnan(undemanded.demand_mwh)


def test_a_price_without_output_counts_as_nothing_and_no_price_as_unknown():
    night = Window(datetime(2024, 2, 29), datetime(2024, 2, 29, 0, 5))
    (solar,) = expected("generation_by_fuel", TINY, night, "5min", "SA1", {"fueltech_id": "solar_utility"}).to_dict(
        "records"
    )
    assert (solar["energy_mwh"], solar["priced_energy_mwh"]) == (0, 0)
    assert np.isnan(solar["dwa_price"])
    ten = Window(datetime(2024, 3, 1, 9, 55), datetime(2024, 3, 1, 10))
    (solar,) = expected("generation_by_fuel", TINY, ten, "5min", "SA1", {"fueltech_id": "solar_utility"}).to_dict(
        "records"
    )
    assert solar["energy_mwh"] == 4
    assert np.isnan(solar["priced_energy_mwh"])
    prices = expected("regional_price", TINY, FIRST_OF_MARCH, "5min", "SA1").set_index("interval_end")
    sums = ["band_below_0_rrp_sum", "band_300_1000_rrp_sum", "band_1000_up_rrp_sum", "cap_payout_aud_per_mw"]
    assert (prices.loc[datetime(2024, 3, 1, 9, 5), sums] == 0).all()
    assert prices.loc[datetime(2024, 3, 1, 10), sums].isna().all()


def test_before_five_minute_settlement_energy_earns_the_half_hours_mean():
    early = dict(TINY)
    for name in ("unit_scada", "regional_price", "regional_demand", "rooftop_pv"):
        labels = early[name]["settlement_date"].to_pandas() - np.timedelta64(1461, "D")  # 29 February 2020
        early[name] = early[name].set_column(0, "settlement_date", pa.array(labels, pa.timestamp("us")))
    spike = Window(datetime(2020, 2, 29, 18), datetime(2020, 2, 29, 18, 5))
    table = expected("generation_by_fuel", early, spike, "5min", "NSW1", {"fueltech_id": "coal_black"})
    assert table.market_value_aud.tolist() == pytest.approx([5 * (400 + 1500 + 1000 + 300 + 2 * 50) / 6])
    half_known = Window(datetime(2020, 3, 1, 9, 30), datetime(2020, 3, 1, 10))
    table = expected("generation_by_fuel", early, half_known, "30min", "SA1", {"fueltech_id": "solar_utility"})
    assert table.market_value_aud.isna().all()  # one of its six prices is missing


def test_prices_end_where_the_source_does():
    gap = read_raw(ROOT / "tests/gap_nem")
    window = Window(datetime(2017, 11, 4), datetime(2017, 11, 7))
    assert expected("regional_price", gap, window, "1d").interval_start.nunique() == 1
    coal = expected("generation_by_fuel", gap, window, "1d", "NEM", {"fueltech_id": "coal_black"})
    assert coal.energy_mwh.gt(0).tolist() == [True] * 3
    assert coal.market_value_aud.isna().tolist() == [False, True, True]


def test_compare_sees_a_changed_value_a_missing_row_and_a_wrong_order():
    table = expected("generation_by_fuel", TINY, WINDOW, "1d")
    right = pa.Table.from_pandas(table, preserve_index=False)
    compare(right, table)
    for wrong, complaint in (
        (table.assign(energy_mwh=table.energy_mwh * (1 + 1e-6)), "energy_mwh differs"),
        (table.assign(complete=~table.complete), "complete differs"),
        (table.fillna({"energy_mwh": 0.0}), "energy_mwh differs"),
        (table.iloc[1:], "absent"),
        (table.iloc[::-1], "not ordered"),
        (table.drop(columns="share"), "columns absent"),
    ):
        with pytest.raises(AssertionError, match=complaint):
            compare(pa.Table.from_pandas(wrong, preserve_index=False), table)
