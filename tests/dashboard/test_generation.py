"""The Generation tab's views, against the numbers worked by hand in `tests/tiny_nem/README.md` (its lines in brackets)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from cache_store.errors import NothingHeldError
from dashboard.contents import load
from dashboard.data import Selection
from dashboard.tables import comparison, daytime, factors, flows
from nem.windows import Window
from tests.tiny_nem import WINDOW

MARCH = datetime(2024, 3, 1)


def loaded(market, **selected):
    return load(market, Selection(tab="generation", **{"range": "all", **selected}))


def rows_of(tables):
    return {row.band.id: row for row in tables.rows}


class TestStack:
    def test_energy_and_price_of_each_fuel(self, tiny_market):
        rows = rows_of(loaded(tiny_market, region="NSW1"))
        assert rows["coal_black"].energy_mwh == pytest.approx(1382.5 + 1438)  # [1, 2]
        assert rows["coal_black"].capacity_factor == pytest.approx(2820.5 / (120 * 48))  # J5
        assert rows["hydro"].capacity_factor == pytest.approx(1440 / (60 * 24 + 90 * 24))  # [23]
        assert rows["unknown"].energy_mwh == pytest.approx(144)  # [13] J1: unknown units stay
        assert rows["pumps"].share is None
        assert (rows["imports"].energy_mwh, rows["exports"].energy_mwh) == pytest.approx((144, -432))  # [36]

    def test_charging_and_discharging_stand_apart(self, tiny_market):
        """E11, P1: split by sign at five minutes, at whatever resolution it is asked."""
        for resolution in ("5min", "30min", "1d"):
            tables = loaded(tiny_market, region="SA1", resolution=resolution)
            rows = rows_of(tables)
            assert rows["battery_charging"].energy_mwh == pytest.approx(-35)  # [6]
            assert rows["battery_discharging"].energy_mwh == pytest.approx(23)  # [7]
            assert rows["battery_discharging"].dwa_price == pytest.approx(-12.17391, abs=1e-5)  # [19]
            assert rows["battery_discharging"].capacity_factor is None
        assert loaded(tiny_market, region="SA1").stack.columns["battery_charging"].min() == pytest.approx(-36)

    def test_totals_agree_at_every_resolution(self, tiny_market):
        """E2, E8, E9: data, factor and label change together."""
        told = [
            {name: (row.energy_mwh, row.market_value_aud) for name, row in rows_of(tables).items()}
            for tables in (
                loaded(tiny_market, region="NSW1", resolution=step) for step in ("5min", "30min", "1h", "1d")
            )
        ]
        for other in told[1:]:
            assert other.keys() == told[0].keys()
            for name, (energy, value) in other.items():
                assert energy == pytest.approx(told[0][name][0]), name
                assert value == (None if told[0][name][1] is None else pytest.approx(told[0][name][1])), name

    def test_the_sum_of_regions_has_no_exchanges(self, tiny_market):
        """J12: the market's net imports are 0."""
        tables = loaded(tiny_market, region="NEM")
        assert not {"imports", "exports"} & (rows_of(tables).keys() | {band.id for band in tables.stack.bands})

    def test_a_region_without_rows_is_an_answer(self, tiny_market):
        supply = loaded(tiny_market, region="TAS1")
        assert (supply.rows, supply.renewable_share, supply.stack.bands) == ([], None, ())

    def test_exports_are_what_is_drawn_with_units(self, tiny_market):
        """P7, T2."""
        tables = loaded(tiny_market, region="SA1", unit="energy", resolution="1d")
        stack, fuels = tables.exports
        assert stack.table.column_names[:2] == ["interval_start", "interval_end"]
        assert stack.table["battery_charging"].to_pylist() == [pytest.approx(-35), pytest.approx(0)]
        assert (stack.units["wind"], stack.units["price"]) == ("MWh", "$/MWh")
        told = {row["band"]: row for row in fuels.table.to_pylist()}
        assert told["battery_charging"]["energy_mwh"] == pytest.approx(-35)
        assert told["battery_charging"]["market_value_aud"] == pytest.approx(700)  # [18]: it was paid to charge
        assert stack.questions[0].query == "generation_by_fuel"


class TestFactors:
    def test_are_of_sums_by_day(self, tiny_market):
        tables = loaded(tiny_market, region="NSW1", view="factors", resolution="1d")
        assert tables.columns["hydro"] == pytest.approx([50.0, 100 / 3])  # [23]
        assert tables.columns["coal_black"][0] == pytest.approx(48.00347, abs=1e-5)  # [22]
        assert tables.whole["coal_black"] == pytest.approx(2820.5 / 5760)

    def test_storage_and_what_has_no_known_capacity_have_none(self, tiny_market):
        """J15, P1."""
        tables = loaded(tiny_market, region="SA1", view="factors", resolution="1d")
        assert [band.id for band in tables.bands] == [
            "solar_utility"
        ]  # wind's capacity is unknown, the peaker never reported
        assert tables.columns["solar_utility"] == pytest.approx([24.0, 24.0])  # [24]

    def test_never_ask_finer_than_is_warmed_nor_for_too_many_rows(self):
        """C13."""
        for days, step in ((2, "30min"), (7, "1h"), (30, "1d"), (2000, "1d"), (2500, "1M")):
            window = Window(datetime(2010, 1, 1), datetime(2010, 1, 1) + timedelta(days=days))
            assert factors.factor_resolution(Selection(resolution="5min"), window) == step
        assert factors.factor_resolution(Selection(resolution="1M"), Window(MARCH, WINDOW.end)) == "1M"


class TestDaytime:
    """P8."""

    def test_is_the_mean_over_days_at_each_half_hour(self, tiny_market):
        tables = loaded(tiny_market, region="SA1", view="day")
        data = tables.stack.columns
        assert (len(data["interval_start"]), tables.days) == (48, 2)
        at = {slot: int(2 * slot) for slot in (11.0, 11.5, 12.0, 12.5, 20.0)}
        # 11:00-11:30: 1.5 + 4 x 3 MWh (11:10 to 11:30) on one of two days of half an hour.
        assert data["battery_charging"][at[11.0]] == pytest.approx(-(1.5 + 3 * 4) / 1)
        assert data["battery_discharging"][at[12.0]] == pytest.approx(8)  # [8]: 8 MWh in two half hours
        assert data["battery_charging"][at[12.0]] == pytest.approx(-3.5)
        assert data["solar_utility"][at[12.0]] == pytest.approx(48)
        assert data["solar_utility"][at[20.0]] == 0
        assert data["price"][at[11.5]] == pytest.approx((-20 + 40) / 2)

    def test_share_is_of_the_average_days_supply(self, tiny_market):
        data = loaded(tiny_market, region="SA1", view="day", unit="share").stack.columns
        noon = 24
        assert data["solar_utility"][noon] == pytest.approx(100 * 48 / (48 + 12 + 8))
        assert data["supply"] == pytest.approx(np.full(48, 100.0))

    def test_of_more_than_a_year_is_the_newest_year_and_says_so(self, tiny_market, monkeypatch):
        monkeypatch.setattr(daytime, "LONGEST", timedelta(days=1))
        tables = loaded(tiny_market, region="SA1", view="day")
        assert (tables.shortened, tables.window) == (True, Window(MARCH, WINDOW.end))


class TestComparison:
    """P8."""

    def test_with_the_range_before(self, tiny_market):
        tables = loaded(tiny_market, region="NSW1", view="compare", range="1d", resolution="1d")
        assert (tables.now.window.start, tables.then.window) == (MARCH, Window(datetime(2024, 2, 29), MARCH))
        rows = {row.band.id: row for row in tables.rows}
        assert rows["coal_black"].change_mw == pytest.approx((1438 - 1382.5) / 24)  # [1, 2]
        assert rows["coal_black"].change == pytest.approx(1438 / 1382.5 - 1)
        assert rows["unknown"].then is None  # [13]: it came on 1 March
        assert rows["unknown"].change_mw == pytest.approx(6)
        assert rows["unknown"].change is None
        assert rows["pumps"].change_mw == pytest.approx(-(24 - 23.98) / 24)  # it drew more: a fall
        assert rows["solar_rooftop"].now is None
        assert rows["coal_black"].change_price == pytest.approx(50 - 60.8499, abs=1e-4)  # [15]

    def test_with_a_range_of_the_readers_own_at_unequal_length(self, tiny_market):
        tables = loaded(tiny_market, region="NSW1", view="compare", range="1d", compare="2024-02-29T12:00..2024-03-01")
        hydro = next(row for row in tables.rows if row.band.id == "hydro")
        assert (hydro.now.energy_mwh, hydro.then.energy_mwh) == (pytest.approx(720), pytest.approx(360))
        assert hydro.change_mw == pytest.approx(0)

    def test_a_range_that_nothing_is_held_of_is_told(self, tiny_market):
        """T10: a calendar year earlier; the leap day falls on the 28th."""
        tables = loaded(tiny_market, region="NSW1", view="compare", range="2024-02-29..2024-03-01", compare="last_year")
        assert (tables.then, tables.rows) == (None, [])
        assert tables.asked == Window(datetime(2023, 2, 28), datetime(2023, 3, 1))

    def test_what_the_data_reaches_of_a_range_is_compared(self, tiny_market):
        tables = loaded(tiny_market, view="compare", range="1d", compare="2024-02-20..2024-03-01")
        assert tables.then.window == Window(datetime(2024, 2, 29), MARCH)
        assert tables.asked.start == datetime(2024, 2, 20)

    def test_its_table_is_exported(self, tiny_market):
        tables = loaded(tiny_market, region="NSW1", view="compare", range="1d")
        told = {row["band"]: row for row in tables.exports[-1].table.to_pylist()}
        assert told["pumps"]["energy_mwh_then"] == pytest.approx(-23.98)  # [4]
        assert told["pumps"]["mean_mw_now"] == pytest.approx(-1)
        assert told["unknown"]["mean_mw_then"] is None


class TestFlows:
    def test_are_of_the_interconnectors_that_touch_the_region(self, tiny_market):
        everywhere = loaded(tiny_market, view="flows")
        assert [link.interconnector_id for link in everywhere.links] == ["NEW-LINK1", "NSW1-SA1"]
        assert everywhere.links[0].ends is None  # unknown ids are data

    def test_metered_flow_is_split_by_sign_and_limits_have_theirs(self, tiny_market):
        """J12: import limits are negative; at its limit is the target, never the metered flow."""
        link = loaded(tiny_market, view="flows", resolution="5min").links[1]
        times = link.columns["interval_end"]
        at = int(np.flatnonzero(times == np.datetime64("2024-02-29T02:00"))[0])
        assert (link.columns["mean_mw"][at], link.columns["forward_limit_mw"][at]) == (60.0, pytest.approx(120))
        assert link.columns["reverse_limit_mw"][at] == pytest.approx(-48)
        assert link.columns["at_limit"][at] == 1
        assert link.columns["at_limit"][at + 3] == 1  # 121 of 120 at 02:15
        assert link.columns["at_limit"][at + 4] == 0
        assert link.forward_mwh > 0
        assert link.reverse_mwh > 0
        assert link.mean_mw == pytest.approx(
            12 * (link.forward_mwh - link.reverse_mwh) / int((~np.isnan(link.columns["mean_mw"])).sum())
        )

    def test_one_time_axis_holds_every_link(self, tiny_market):
        links = loaded(tiny_market, view="flows", resolution="5min").links
        data = flows.wide(links)
        assert len(data["interval_start"]) == len(np.unique(data["interval_start"]))
        newest = data["NSW1-SA1.flow"][-1]
        assert newest == links[1].newest["mean_mw"] == 24.0
        assert np.isnan(data["NSW1-SA1.at"][-1])

    def test_a_source_without_flows_says_so(self, tiny_market):
        """U9: quietly, for an older archive has none."""

        def extent(query):
            if query == "interconnector_flow":
                raise NothingHeldError("none")
            return tiny_market.extent(query)

        tables = loaded(replace(tiny_market, extent=extent), view="flows")
        assert (tables.links, tables.receipts, tables.exports) == ([], (), ())
        assert "no interconnector flows" in tables.why_none


def test_comparison_takes_nothing_from_the_clock(tiny_market):
    """T1: the range is of the data."""
    assert comparison.load(tiny_market, Selection(region="NSW1", range="1d")).asked.end == MARCH


@pytest.mark.parametrize(
    ("tab", "first"), [("generation", "Generation"), ("prices", "PriceSeries"), ("stations", "StationOutput")]
)
def test_an_unknown_word_opens_a_tabs_first_part(tiny_market, tab, first):
    assert type(load(tiny_market, Selection(tab=tab, view="nonsense", range="all"))).__name__ == first
