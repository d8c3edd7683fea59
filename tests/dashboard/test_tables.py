"""What each tab asks and shapes, against the numbers worked by hand in `tests/tiny_nem/README.md` (its lines in brackets)."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from dashboard.data import Selection
from dashboard.tables import generation, overview, prices, stations
from nem.windows import Window
from tests.tiny_nem import WINDOW


class TestGeneration:
    def test_energy_and_price_of_each_fuel(self, tiny_market):
        tables = generation.load(tiny_market, Selection(region="NSW1", range="all"))
        rows = {row.fuel_id: row for row in tables.fuels}
        assert rows["coal_black"].energy_mwh == pytest.approx(1382.5 + 1438)  # [1, 2]
        assert rows["coal_black"].capacity_factor == pytest.approx(2820.5 / (120 * 48))
        assert rows["hydro"].capacity_factor == pytest.approx(1440 / (60 * 24 + 90 * 24))  # [23]
        assert rows["unknown"].energy_mwh == pytest.approx(144)  # [13] J1: unknown units stay
        assert rows["pumps"].share is None
        assert tables.flows_mwh == {"imports": pytest.approx(144), "exports": pytest.approx(432)}  # [36]

    def test_charging_and_discharging_stand_apart(self, tiny_market):
        tables = generation.load(tiny_market, Selection(region="SA1", range="all"))
        rows = {row.fuel_id: row for row in tables.fuels}
        assert (rows["battery_charging"].energy_mwh, rows["battery_discharging"].energy_mwh) == (
            pytest.approx(35),
            pytest.approx(23),
        )  # [6, 7]
        assert rows["battery_discharging"].dwa_price == pytest.approx(-12.17391, abs=1e-5)  # [19]
        assert tables.stack.columns["battery_charging"].min() == pytest.approx(-36)

    def test_the_sum_of_regions_is_asked_as_one(self, tiny_market):
        tables = generation.load(tiny_market, Selection(region="NEM", range="all"))
        assert tables.flows_mwh == {}
        assert "exports" not in tables.stack.fuels

    def test_a_region_without_rows_is_an_answer(self, tiny_market):
        tables = generation.load(tiny_market, Selection(region="TAS1", range="all"))
        assert (tables.fuels, tables.renewable_share, tables.stack.fuels) == ([], None, ())

    def test_the_renewable_share_is_unknown_while_rooftop_is_missing(self, tiny_market):
        assert generation.load(tiny_market, Selection(region="NSW1", range="all")).renewable_share is None


class TestOverview:
    def test_is_24_hours_whatever_the_range(self, tiny_market):
        """T9."""
        tables = overview.load(tiny_market, Selection(region="SA1", range="all"))
        assert tables.receipts[0].window == Window(datetime(2024, 3, 1), WINDOW.end)
        assert [tile.region_id for tile in tables.tiles] == ["NEM", "NSW1", "SA1"]

    def test_tiles_hold_the_newest_price_beside_the_days(self, tiny_market):
        tile = {tile.region_id: tile for tile in overview.load(tiny_market, Selection(region="SA1")).tiles}["SA1"]
        assert tile.price == pytest.approx(40)
        assert tile.day_price == pytest.approx(39.86063, abs=1e-5)  # [32]

    def test_recent_prices_are_of_settlement_periods(self, tiny_market):
        """Five minutes since October 2021; the market's are weighted by demand (J13)."""
        recent = overview.load(tiny_market, Selection(region="NEM")).recent
        assert recent.ends[-2:] == [WINDOW.end - timedelta(minutes=5), WINDOW.end]
        assert recent.rows["NEM"][0][-1] == pytest.approx((120 * 50 + 60 * 40) / 180)

    def test_before_october_2021_a_settlement_period_is_half_an_hour(self, tiny_market):
        window = Window(datetime(2017, 11, 4), datetime(2017, 11, 5))
        empty = tiny_market.ask("regional_price", WINDOW, resolution="5min").table.slice(0, 0)
        ends = overview.recent_prices(empty, empty, window).ends
        assert ends[0] == datetime(2017, 11, 4, 21)
        assert ends[1] - ends[0] == timedelta(minutes=30)


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
