"""The NEM Overview's numbers, against those worked by hand in `tests/tiny_nem/README.md` (its lines in brackets)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from dashboard.data import Selection
from dashboard.tables import overview, records, summary
from nem.windows import Window
from tests.tiny_nem import WINDOW

MARCH = datetime(2024, 3, 1)


def test_is_24_hours_whatever_the_range(tiny_market):
    """T9."""
    tables = overview.load(tiny_market, Selection(region="SA1", range="all"))
    assert tables.receipts[0].window == Window(MARCH, WINDOW.end)
    assert [tile.region_id for tile in tables.tiles] == ["NEM", "NSW1", "SA1"]


def test_tiles_hold_the_newest_price_beside_the_days(tiny_market):
    tile = {tile.region_id: tile for tile in overview.load(tiny_market, Selection(region="SA1")).tiles}["SA1"]
    assert tile.price == pytest.approx(40)
    assert tile.day_price == pytest.approx(39.86063, abs=1e-5)  # [32]
    assert tile.renewable_share is None  # rooftop is known for one hour of the day (J9, C9: no stand-in)


def test_the_stack_of_a_region_has_its_flows(tiny_market):
    drawn = overview.load(tiny_market, Selection(region="SA1")).stack
    assert drawn.columns["imports"].max() == pytest.approx(18)
    assert len(drawn.columns["interval_start"]) == 288


def test_recent_prices_are_of_settlement_periods(tiny_market):
    """Five minutes since October 2021; the market's are weighted by demand (J13)."""
    recent = overview.load(tiny_market, Selection(region="NEM")).recent
    assert recent.ends[-2:] == [WINDOW.end - timedelta(minutes=5), WINDOW.end]
    assert recent.rows["NEM"][0][-1] == pytest.approx((120 * 50 + 60 * 40) / 180)


def test_before_october_2021_a_settlement_period_is_half_an_hour():
    window = Window(datetime(2017, 11, 4), datetime(2017, 11, 5))
    ends = overview.recent_prices({}, window).ends
    assert ends[0] == datetime(2017, 11, 4, 21)
    assert ends[1] - ends[0] == timedelta(minutes=30)


def test_flows_are_of_the_newest_interval(tiny_market):
    flows = overview.load(tiny_market, Selection()).flows
    assert {link.interconnector_id: link.newest["mean_mw"] for link in flows.links}["NSW1-SA1"] == 24.0
    assert flows.window == Window(MARCH, WINDOW.end)


def test_exports_hold_what_is_shown(tiny_market):
    """P7."""
    names = [export.name for export in overview.load(tiny_market, Selection(region="SA1")).exports]
    assert names == ["last-24-hours", "prices", "summary", "flows"]


class TestSummary:
    def test_is_beside_the_same_hours_of_yesterday(self, tiny_market):
        told = summary.load_summary(tiny_market, "NSW1", Window(WINDOW.start, MARCH + timedelta(hours=20)))
        assert told.today.window == Window(MARCH, MARCH + timedelta(hours=20))
        assert told.yesterday.window == Window(WINDOW.start, WINDOW.start + timedelta(hours=20))
        assert (told.yesterday.rrp_max, told.yesterday.rrp_max_in) == (1500.0, "NSW1")
        assert told.yesterday.mean_price == pytest.approx((236 * 50 + 3200) / 240)
        assert told.today.mean_price == pytest.approx(50)
        assert told.last_year is None  # the data does not reach

    def test_energy_and_shares_of_a_whole_day(self, tiny_market):
        told = summary.load_summary(tiny_market, "NSW1", WINDOW).yesterday
        assert told.supply_mwh == pytest.approx(1382.5 + 720 + 106.5)  # [1, 3, 11]
        assert told.coal_share == pytest.approx(1382.5 / 2209)
        assert told.gas_share == 0
        assert told.renewable_share is None

    def test_the_markets_highest_price_is_some_regions(self, tiny_market):
        told = summary.load_summary(tiny_market, "NEM", WINDOW)
        assert (told.yesterday.rrp_max, told.yesterday.rrp_max_in) == (1500.0, "NSW1")
        assert (told.yesterday.rrp_min, told.yesterday.rrp_min_in) == (-20.0, "SA1")
        value, demand = 206_000 + 50_400 - 0, 2_920 + 1_440
        assert told.yesterday.mean_price == pytest.approx(value / demand, rel=1e-3)

    def test_the_same_day_last_year_is_a_calendar_year_back(self, tiny_market):
        """T10."""
        asked = []

        def ask(query, window, **options):
            asked.append(window)
            return tiny_market.ask(query, Window(MARCH, WINDOW.end), **options)

        market = replace(tiny_market, ask=ask)
        told = summary.load_summary(market, "NSW1", Window(datetime(2023, 1, 1), datetime(2024, 3, 1)))
        assert told.last_year.window == Window(datetime(2023, 2, 28), datetime(2023, 3, 1))
        assert told.last_year.window in asked


class TestRecords:
    @staticmethod
    def shares(*told):
        """A bucket an hour from midnight: renewable and generated MWh, hours covered."""
        starts = np.datetime64("2024-02-29T00:00", "us") + np.arange(len(told)) * np.timedelta64(1, "h")
        columns = np.array(told, dtype=float).T
        return {"interval_start": starts, "interval_end": starts + np.timedelta64(1, "h")} | dict(
            zip(("renewable", "generated", "hours"), columns, strict=True)
        )

    def test_the_highest_whole_hour_with_every_input(self):
        """O4, C9: a record needs complete inputs and takes its hour from data time."""
        nan = float("nan")
        told = self.shares((10, 100, 1), (60, 100, 1), (90, 100, 0.5), (nan, nan, 1), (60, 100, 1), (0, 0, 1))
        assert records.highest(told, 1) == records.Record(0.6, datetime(2024, 2, 29, 1))
        assert records.highest(told, 1, hour_of_day=4) == records.Record(0.6, datetime(2024, 2, 29, 4))
        assert records.highest(told, 1, hour_of_day=3) is None
        assert records.highest(told, 24) is None

    def test_there_are_none_while_rooftop_is_missing(self, tiny_market):
        told = records.load_records(tiny_market, "NSW1", WINDOW)
        assert (told.day, told.at_this_hour) == (None, None)
        assert (told.days, told.hours, told.hour_of_day) == (WINDOW, WINDOW, 23)

    def test_hours_are_of_the_last_year_and_days_of_all(self, tiny_market):
        asked = []

        def ask(query, window, **options):
            asked.append((window, options["resolution"]))
            return tiny_market.ask(query, WINDOW, **options)

        extent = Window(datetime(2022, 1, 1), datetime(2024, 3, 2))
        told = records.load_records(replace(tiny_market, ask=ask), "SA1", extent)
        assert asked == [
            (extent, "1d"),
            (Window(datetime(2023, 3, 3), datetime(2024, 3, 1)), "1h"),
            (Window(datetime(2024, 3, 1), datetime(2024, 3, 2)), "1h"),
        ]
        assert told.hours.start == datetime(2023, 3, 3)
        # Rooftop SA1 is known at 23:00 to 24:00 on the 29th: wind 12 of 12 + 6 MWh of rooftop, nothing else.
        assert told.hour.share == 1.0
