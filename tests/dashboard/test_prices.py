"""Price Analysis against the numbers worked by hand in `tests/tiny_nem/README.md` (its lines in brackets)."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from bokeh.plotting import figure
from hypothesis import given
from hypothesis import strategies as st

from dashboard import price_axis
from dashboard.contents import load
from dashboard.data import Selection
from dashboard.tables.intervals import RegionPrices, runs
from dashboard.tables.price_duration import duration_curves, levels
from dashboard.tables.price_events import high_price_events
from dashboard.tables.price_profile import hours_by_day, time_of_day
from dashboard.tables.statistics import statistics
from dashboard.views.price_series import build as build_series
from nem.caps import price_cap
from nem.windows import MAX_POINTS

LEAP_DAY = "2024-02-29..2024-03-01"


def told(market, view="", **chosen):
    return load(market, Selection(tab="prices", view=view, **{"range": "all", **chosen}))


def made(values, start="2024-03-01T00:05") -> RegionPrices:
    """Prices five minutes apart, of one MWh each."""
    rrp = np.array(values, dtype=float)
    ends = np.datetime64(start, "s") + np.arange(len(rrp)) * np.timedelta64(5, "m")
    return RegionPrices(ends, rrp, np.ones(len(rrp)), rrp)


class TestAxis:
    CAP = 14_200.0

    def test_the_knots_are_exact(self):
        knots = price_axis.heights(np.array([-1_000, 0, 300, self.CAP]), self.CAP)
        assert knots == pytest.approx([0, 0.16, 0.70, 1], abs=1e-12)

    def test_it_is_linear_between_0_and_300(self):
        assert price_axis.heights(np.array([100.0, 150.0]), self.CAP) == pytest.approx([0.34, 0.43])

    def test_a_higher_price_never_stands_lower(self):
        many = price_axis.heights(np.linspace(-1_000, self.CAP, 10_001), self.CAP)
        assert (np.diff(many) > 0).all()

    def test_ticks_reach_up_to_the_cap_and_a_gap_stays_one(self):
        assert list(price_axis.ticks(self.CAP).values()) == [
            *(
                "\N{MINUS SIGN}$1,000",
                "\N{MINUS SIGN}$100",
                "$0",
                "$100",
                "$200",
                "$300",
                "$1,000",
                "$3,000",
                "$10,000",
            ),
        ]
        assert np.isnan(price_axis.heights(np.array([np.nan]), self.CAP)).all()

    def test_caps_change_with_the_financial_year(self):
        days = (datetime(2017, 6, 30), datetime(2017, 7, 1), datetime(2025, 6, 30), datetime(2025, 7, 1))
        assert [price_cap(day.date()) for day in days] == [14_000, 14_200, 17_500, 20_300]


class TestSeries:
    def test_statistics_are_of_five_minute_prices(self, tiny_market):
        """U7: of the prices themselves, not of what is drawn."""
        row = told(tiny_market, region="NSW1", resolution="1d").statistics[0]
        assert row.twa_price == pytest.approx((17_400 + 288 * 50) / 576)  # [27]
        assert row.demand_weighted_price == pytest.approx((206_000 + 2_880 * 50) / (2_920 + 2_880))  # [30]
        assert (row.highest, row.highest_at) == (1500.0, datetime(2024, 2, 29, 18, 10))
        assert (row.median, row.p95, row.interval_count) == (50.0, 50.0, 576)
        assert row.deviation == pytest.approx(np.std([50.0] * 572 + [400, 1500, 1000, 300]))
        assert row.cap_payout_aud_per_mw == pytest.approx(2_000 / 12)  # [29]

    def test_bands_are_half_open_and_add_up_to_the_mean(self, tiny_market):
        """E12: half-open and exhaustive, on actual demand: the price of exactly 300 is in the third, 1,000 in the last."""
        row = told(tiny_market, region="NSW1").statistics[0]
        assert [band.hours * 12 for band in row.bands] == [0, 572, 2, 2]  # [28]
        assert sum(band.contribution for band in row.bands) == pytest.approx(row.twa_price)
        assert sum(band.share for band in row.bands) == 1
        assert row.bands[2].demand_value_aud == pytest.approx(20 * (400 + 300))

    def test_negative_prices_are_counted_and_their_longest_run_found(self, tiny_market):
        row = told(tiny_market, region="SA1").statistics[1]
        assert (row.negative_count, row.negative_share) == (24, pytest.approx(24 / 575))  # [31]
        assert row.longest_negative_hours == pytest.approx(2)

    def test_the_market_is_weighted_by_demand(self, tiny_market):
        """J13: NSW1 is not the NEM, and a cap is not on the market's price."""
        tables = told(tiny_market, region="NEM", range=LEAP_DAY)
        row = tables.statistics[-1]
        assert row.region_id == "NEM"
        assert row.demand_weighted_price == pytest.approx(256_400 / 4_360)  # [35]
        assert row.cap_payout_aud_per_mw is None
        # 29 February 11:05 to 13:00: 10 MWh at 50 and 5 at -20 make 400 over 15.
        assert row.lowest == pytest.approx(400 / 15)

    def test_the_series_is_the_mean_of_each_bucket_with_its_range(self, tiny_market):
        """E8: a coarser resolution changes the numbers and the label together."""
        tables = told(tiny_market, region="NSW1", resolution="1d")
        assert tables.series["NSW1"] == pytest.approx([17_400 / 288, 50])  # [27]
        assert list(tables.series["highest"]) == [1500, 50]
        assert list(tables.series["lowest"]) == [50, 50]
        assert list(tables.series["cap"]) == [16_600, 16_600]
        assert tables.receipts[0].resolution == "1d"

    def test_what_aemo_may_change_is_marked(self, tiny_market):
        """P2: later points are provisional."""
        series = told(tiny_market, region="NSW1").series  # [53]
        marked = series["interval_end"][np.isfinite(series["provisional"])]
        assert list(marked) == [np.datetime64(f"2024-03-0{end}") for end in ("1T23:50", "1T23:55", "2T00:00")]
        assert np.isnan(told(tiny_market, region="SA1").series["provisional"]).all()

    def test_a_label_without_a_price_breaks_the_line(self, tiny_market):
        series = told(tiny_market, region="SA1").series
        assert np.isnan(series["SA1"][series["interval_end"] == np.datetime64("2024-03-01T10:00")]).all()

    def test_the_export_is_what_is_shown(self, tiny_market):
        """P7."""
        tables = told(tiny_market, region="NSW1", resolution="1d")
        drawn, rows = tables.exports
        assert drawn.table["NSW1"].to_pylist() == pytest.approx(list(tables.series["NSW1"]))
        assert drawn.table.column_names[:2] == ["interval_start", "interval_end"]
        assert rows.table["median"].to_pylist() == [row.median for row in tables.statistics]

    def test_regions_laid_over_are_those_chosen_and_the_selected(self, tiny_market):
        assert told(tiny_market, region="NSW1").shown == ("NSW1", "SA1", "NEM")
        assert told(tiny_market, region="NSW1", regions=("SA1",)).shown == ("NSW1", "SA1")

    def test_the_view_holds_true_prices_and_their_heights(self, tiny_market):
        """U2, U5: bounded, and the same figure after new numbers."""
        view = build_series()
        view.show(told(tiny_market, region="NSW1"))
        (drawn,) = view.layout.select({"type": figure})
        (source,) = {renderer.data_source for renderer in drawn.renderers}
        assert source.data["NSW1"].max() == 1500
        assert source.data["NSW1_y"].max() == pytest.approx(price_axis.heights(np.array(1500.0), 16_600))
        assert len(source.data["NSW1"]) <= MAX_POINTS + 1
        view.show(told(tiny_market, region="NSW1", range="1d"))
        assert list(view.layout.select({"type": figure})) == [drawn]


def test_a_run_ends_at_a_gap():
    ends = np.array(["2024-03-01T00:05", "2024-03-01T00:10", "2024-03-01T00:20", "2024-03-01T00:25"], "M8[s]")
    first, last = runs(np.array([True, True, True, False]), ends)
    assert (list(first), list(last)) == ([0, 2], [1, 2])
    assert not runs(np.zeros(4, dtype=bool), ends)[0].size


def test_no_price_is_no_statistic():
    """U6: nothing is divided by nothing."""
    row = statistics("SA1", made([]))
    assert (row.twa_price, row.median, row.bands) == (None, None, ())


class TestDuration:
    def test_the_curve_is_the_prices_in_falling_order(self, tiny_market):
        tables = told(tiny_market, "duration", region="NSW1", range=LEAP_DAY)
        assert list(tables.curves["NSW1"][:6]) == [1500, 1000, 400, 300, 50, 50]
        assert tables.curves["share"][1] == pytest.approx(2 / 288)
        assert tables.levels["NSW1"][0.01] == 400  # the third of 288

    @given(st.lists(st.floats(-1_000, 15_000), min_size=1, max_size=60), st.integers(1, 60))
    def test_every_point_is_an_order_statistic(self, values, other):
        curves = duration_curves({"SA1": made(values), "VIC1": made(range(other))})
        for name, one in (("SA1", values), ("VIC1", range(other))):
            falling = sorted(one, reverse=True)
            at = [falling[int(np.ceil(share * len(falling) - 1e-9)) - 1] for share in curves["share"]]
            assert list(curves[name]) == pytest.approx(at)

    def test_a_year_stays_within_bounds_and_keeps_both_ends(self):
        """U2."""
        rrp = np.random.default_rng(1).normal(80, 400, 105_120)
        curves = duration_curves({"SA1": made(rrp)})
        assert len(curves["share"]) <= MAX_POINTS
        assert list(curves["SA1"][:300]) == list(np.sort(rrp)[::-1][:300])
        assert set(curves["SA1"]) <= set(rrp)
        assert levels(made(rrp))[1.0] == rrp.min()

    def test_it_is_compared_with_what_is_held_of_another_period(self, tiny_market):
        """P8."""
        day = "2024-03-01..2024-03-02"
        tables = told(tiny_market, "duration", region="NSW1", range=day, compare="previous")
        assert list(tables.curves["compared"][:2]) == [1500, 1000]
        assert tables.curves["NSW1"].max() == 50
        gone = told(tiny_market, "duration", region="NSW1", range=day, compare="last_year")
        assert (gone.compared_window, "compared" in gone.curves) == (None, False)


class TestTimeOfDay:
    def test_a_slot_belongs_to_the_start_of_its_interval(self, tiny_market):
        """T3: 18:05 to 18:20 are of the slot that starts at 18:00, 24:00 of that of 23:30."""
        profile = told(tiny_market, "time_of_day", region="NSW1", range=LEAP_DAY).profile
        assert len(profile["hour"]) == 48
        assert profile["all"][36] == pytest.approx((400 + 1500 + 1000 + 300 + 2 * 50) / 6)
        assert profile["all"][47] == 50

    def test_the_market_is_weighted_and_a_kind_of_day_without_days_has_no_price(self, tiny_market):
        profile = told(tiny_market, "time_of_day", region="NEM", range=LEAP_DAY).profile  # a Thursday
        assert profile["weekday"][24] == pytest.approx(400 / 15)
        assert np.isnan(profile["weekend"]).all()

    def test_saturday_and_sunday_are_the_weekend(self):
        starts = np.arange(np.datetime64("2024-03-01T12:00", "us"), np.datetime64("2024-03-05"), np.timedelta64(1, "D"))
        found = time_of_day(starts, np.array([1.0, 10, 20, 3]), np.ones(4), 1.0)  # Friday to Monday
        assert (found["weekday"][12], found["weekend"][12]) == (2, 15)

    def test_hours_stand_by_day(self, tiny_market):
        tables = told(tiny_market, "time_of_day", region="NSW1")
        assert tables.grid.shape == (24, 2)
        assert tables.grid[18] == pytest.approx([(3_200 + 8 * 50) / 12, 50])
        assert tables.exports[1].table.num_rows == 48

    def test_days_are_bounded(self):
        starts = np.datetime64("2010-01-01", "us") + np.arange(2_500) * np.timedelta64(1, "D")
        first, cells = hours_by_day(starts, np.ones(2_500), np.ones(2_500))
        assert cells.shape == (24, MAX_POINTS)
        assert first + MAX_POINTS == starts[-1].astype("M8[D]") + 1


class TestEvents:
    def test_an_event_is_a_run_at_300_or_more(self, tiny_market):
        (event,) = told(tiny_market, "events").events
        assert (event.region_id, event.interval_start, event.interval_end) == (
            "NSW1", datetime(2024, 2, 29, 18), datetime(2024, 2, 29, 18, 20),
        )  # fmt: skip
        assert event.hours == pytest.approx(1 / 3)
        assert (event.peak, event.peak_at) == (1500, datetime(2024, 2, 29, 18, 10))
        assert event.cap_payout_aud_per_mw == pytest.approx(2_000 / 12)  # [29]
        assert event.demand_value_aud == pytest.approx(20 * 3_200)  # [30]
        assert told(tiny_market, "events", region="SA1").events == ()

    def test_one_price_below_ends_it(self):
        found = high_price_events("SA1", made([300, 299.99, 301, 400]))
        assert [event.hours * 12 for event in found] == pytest.approx([1, 2])


class TestValue:
    def test_what_each_fuel_earned(self, tiny_market):
        rows = {row.fuel_id: row for row in told(tiny_market, "value", region="SA1", range=LEAP_DAY).fuels}
        solar = rows["solar_utility"]
        assert (solar.market_value_aud, solar.dwa_price) == (pytest.approx(5_760), pytest.approx(20))  # [16]
        assert solar.capture_rate == pytest.approx(20 / 35)  # [31]
        assert solar.negative_price_share == pytest.approx(1 / 3)  # [54]
        assert rows["battery_charging"].dwa_price == pytest.approx(-20)  # [18]

    def test_what_has_no_price_is_in_neither_half(self, tiny_market):
        """J4: 4 MWh at 10:00 have none; and an unknown unit has no price at all."""
        tables = told(tiny_market, "value", range="2024-03-01..2024-03-02")
        rows = {row.fuel_id: row for row in tables.fuels}
        assert rows["solar_utility"].dwa_price == pytest.approx(11_280 / 284)  # [17]
        unknown = {branch.path: branch for branch in told(tiny_market, "value").tree}["unknown",]
        assert (unknown.energy_mwh, unknown.dwa_price) == (pytest.approx(2.5), None)  # [9] J1

    def test_a_market_wide_capture_rate_is_over_each_regions_own_price(self, tiny_market):
        """J6: two regions with hydro at 60.42 and solar at 35 are not measured by one mean."""
        tree = {branch.path: branch for branch in told(tiny_market, "value", range=LEAP_DAY).tree}
        coal, sun = tree["NSW1", "coal_black"], tree["SA1", "solar_utility"]
        assert coal.capture_rate == pytest.approx((84_125 / 1382.5) / (17_400 / 288))  # [15, 27]
        both = {branch.path: branch for branch in told(tiny_market, "value_by_fuel", range=LEAP_DAY).tree}
        assert both["solar_utility",].capture_rate == pytest.approx(sun.capture_rate)

    def test_the_tree_adds_up(self, tiny_market):
        tables = told(tiny_market, "value")
        tree = {branch.path: branch for branch in tables.tree}
        for path, branch in tree.items():
            below = [row.energy_mwh or 0 for other, row in tree.items() if other[:-1] == path and other]
            if below:
                assert sum(below) == pytest.approx(branch.energy_mwh or 0), path
        assert tables.tree[0].path == ()
        assert tree["NSW1", "coal_black", "Colliery"].capacity_factor == pytest.approx(2820.5 / 5760)
        assert tree["NSW1", "solar_rooftop", "Rooftops"].energy_mwh == pytest.approx(106.5)  # [11]

    def test_unknown_capacity_leaves_the_factor_and_not_the_energy(self, tiny_market):
        """J15."""
        wind = {branch.path: branch for branch in told(tiny_market, "value").tree}["SA1", "wind"]
        assert (wind.capacity_factor, wind.capacity_mw) == (None, None)  # [25]
        assert wind.energy_mwh == pytest.approx(575)

    def test_charging_and_pumping_are_no_part_of_it(self, tiny_market):
        fuels = {branch.path[1] for branch in told(tiny_market, "value").tree if len(branch.path) > 1}
        assert "pumps" not in fuels
        assert "battery_discharging" in fuels
