"""What each tab asks and shapes, against the numbers worked by hand in `tests/tiny_nem/README.md` (its lines in brackets)."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from dashboard.data import Selection
from dashboard.tables import prices, stations


class TestPrices:
    def test_statistics_are_of_five_minute_prices(self, tiny_market):
        tables = prices.load(tiny_market, Selection(region="NSW1", range="all"))
        row = tables.statistics[0]
        assert row.twa_price == pytest.approx((17_400 + 288 * 50) / 576)  # [27]
        assert row.demand_weighted_price == pytest.approx((206_000 + 2_880 * 50) / (2_920 + 2_880))  # [30]
        assert row.highest == (1500.0, datetime(2024, 2, 29, 18, 10))
        assert (row.median, row.p95) == (50.0, 50.0)
        assert row.deviation == pytest.approx(np.std([50.0] * 572 + [400, 1500, 1000, 300]))

    def test_band_contributions_add_up_to_the_mean(self, tiny_market):
        """E12: half-open and exhaustive."""
        row = prices.load(tiny_market, Selection(region="NSW1", range="all")).statistics[0]
        assert [band.hours * 12 for band in row.bands] == [0, 572, 2, 2]  # [28]
        assert sum(band.contribution for band in row.bands) == pytest.approx(row.twa_price)

    def test_negative_prices_are_counted_and_their_longest_run_found(self, tiny_market):
        row = prices.load(tiny_market, Selection(region="SA1", range="all")).statistics[1]
        assert row.negative_hours == pytest.approx(2)  # [31]
        assert row.longest_negative_hours == pytest.approx(2)
        assert row.negative_share == pytest.approx(24 / 575)

    def test_the_market_has_a_demand_weighted_price_and_no_other(self, tiny_market):
        row = prices.load(tiny_market, Selection(region="NEM", range="all")).statistics[-1]
        assert (row.region_id, row.twa_price, row.median, row.bands) == ("NEM", None, None, ())
        value = 206_000 + 2_880 * 50 + 1_440 * 35 + 59_840
        assert row.demand_weighted_price == pytest.approx(value / (2_920 + 2_880 + 1_440 + 1_501.5))  # [30, 34, 35]

    def test_a_run_ends_at_a_gap(self):
        ends = np.array(["2024-03-01T00:05", "2024-03-01T00:10", "2024-03-01T00:20", "2024-03-01T00:25"], "M8[m]")
        assert prices.longest_run(np.array([True, True, True, False]), ends) == 2
        assert prices.longest_run(np.zeros(4, dtype=bool), ends) == 0


class TestStations:
    def test_the_league_is_by_capacity_factor_with_the_unknown_last(self, tiny_market):
        tables = stations.load(tiny_market, Selection(region="NEM", range="all"))
        factors = [row.capacity_factor for row in tables.league]
        known = [factor for factor in factors if factor is not None]
        assert known == sorted(known, reverse=True)
        assert factors[len(known) :] == [None] * (len(factors) - len(known))
        rows = {row.station_name: row for row in tables.league}
        assert rows["Colliery"].capacity_factor == pytest.approx(2820.5 / 5760)
        assert rows["O'Hara's Ridge"].capacity_factor is None  # [25] J15
        assert rows["O'Hara's Ridge"].energy_mwh == pytest.approx(575)
        assert rows["MYSTERY1"].fuel_id == "unknown"  # J1
        assert rows["Upper Lake"].capacity_factor is None  # a load has none

    def test_the_largest_station_is_shown_until_one_is_chosen(self, tiny_market):
        assert stations.load(tiny_market, Selection(region="NEM", range="all")).chosen.station_name == "Colliery"
        ridge = stations.load(tiny_market, Selection(region="NEM", range="all", station="O'Hara's Ridge"))  # C12
        assert ridge.chosen.duids == ("WIND1",)
        assert np.isnan(ridge.series["capacity_mw"]).all()
        assert np.nanmax(ridge.series["mean_mw"]) == pytest.approx(12)

    def test_a_battery_charges_below_zero_and_pays_for_it(self, tiny_market):
        battery = stations.load(tiny_market, Selection(region="SA1", range="all", station="Big Battery"))
        assert battery.series["charge_mw"].min() == pytest.approx(-36)
        assert battery.chosen.revenue_aud == pytest.approx(-280 + 700)  # [18, 19]

    def test_capacity_follows_the_registry(self, tiny_market):
        series = stations.load(tiny_market, Selection(region="NSW1", range="all", station="Old Dam")).series
        assert sorted(set(np.round(series["capacity_mw"], 6))) == [60.0, 90.0]  # [23]

    def test_the_region_narrows_the_league_and_not_the_search(self, tiny_market):
        tables = stations.load(tiny_market, Selection(region="SA1", range="all"))
        assert {row.region_id for row in tables.league} == {"SA1"}
        assert "Colliery" in tables.names

    def test_a_unit_without_a_region_has_no_capture_rate(self, tiny_market):
        tables = stations.load(tiny_market, Selection(region="NEM", range="all", station="MYSTERY1"))
        assert tables.capture_rate is None
        assert tables.chosen.energy_mwh == pytest.approx(2.5)  # [9]
