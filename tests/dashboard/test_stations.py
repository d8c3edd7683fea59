"""Station Analysis against the numbers worked by hand in `tests/tiny_nem/README.md` (its lines in brackets)."""

from __future__ import annotations

from datetime import datetime
from html import unescape

import numpy as np
import pyarrow as pa
import pytest

from dashboard.contents import load
from dashboard.data import Selection
from dashboard.parts import search_box
from dashboard.picture import paint
from dashboard.tables.station_output import starts_of, station_series
from dashboard.views.station_league import build as build_league
from dashboard.views.station_output import build as build_output
from nem.windows import Window

LEAP_DAY = "2024-02-29..2024-03-01"


def told(market, view="", **chosen):
    return load(market, Selection(tab="stations", view=view, **{"range": "all", **chosen}))


class TestOutput:
    def test_the_largest_station_is_shown_until_one_is_chosen(self, tiny_market):
        tables = told(tiny_market)
        assert (tables.chosen.title, tables.chosen.missing) == ("Colliery", None)
        assert tables.totals.energy_mwh == pytest.approx(2820.5)  # [1, 2]
        assert tables.totals.capacity_factor == pytest.approx(2820.5 / 5760)
        assert tables.totals.market_value_aud == pytest.approx(84_125 + 1438 * 50)  # [14]
        assert tables.capture_rate == pytest.approx(tables.totals.dwa_price / ((17_400 + 288 * 50) / 576))

    def test_a_name_with_an_apostrophe_is_found_and_so_is_a_unit(self, tiny_market):
        """C12."""
        ridge = told(tiny_market, station="O'Hara's Ridge")
        assert (ridge.chosen.duids, ridge.chosen.title) == (("WIND1",), "O'Hara's Ridge")
        assert np.isnan(ridge.series["capacity_mw"]).all()  # [25] J15
        assert (ridge.totals.capacity_mw, ridge.totals.capacity_factor) == (None, None)
        assert np.nanmax(ridge.series["mean_mw"]) == pytest.approx(12)
        assert told(tiny_market, station="wind1").chosen.station_name == "O'Hara's Ridge"

    def test_what_is_not_there_is_said(self, tiny_market):
        chosen = told(tiny_market, station="<b>Nowhere</b>").chosen
        assert (chosen.title, chosen.missing) == ("Colliery", "<b>Nowhere</b>")
        view = build_output()
        view.show(told(tiny_market, station="<b>Nowhere</b>"))
        assert "&lt;b&gt;Nowhere" in paint(view.layout)

    def test_a_battery_charges_below_zero_and_pays_for_it(self, tiny_market):
        """P1: charge and discharge are told apart, and its capacity counts once."""
        tables = told(tiny_market, region="SA1", station="Big Battery", range=LEAP_DAY)
        row = tables.totals
        assert (row.energy_mwh, row.charge_mwh) == (pytest.approx(23), pytest.approx(35))  # [6, 7]
        assert (row.dwa_price, row.charge_price) == (pytest.approx(-280 / 23), pytest.approx(-20))  # [18, 19]
        assert row.net_revenue_aud == pytest.approx(-280 + 700)
        assert (row.capacity_mw, row.storage_mwh) == (pytest.approx(40), 80)
        at_noon = tables.series["interval_start"] == np.datetime64("2024-02-29T12:00")
        assert tables.series["mean_mw"][at_noon] == pytest.approx(8 * 2)  # [8] E11: both in one half hour
        assert tables.series["charge_mw"][at_noon] == pytest.approx(-3.5 * 2)
        assert tables.chosen.kind == "storage"

    def test_its_cards_are_of_its_technology(self, tiny_market):
        view = build_output()
        view.show(told(tiny_market, station="Big Battery", range=LEAP_DAY))
        facts = paint(view.layout)
        assert "Cycles a day" in facts
        assert f"{23 / 80:.2f}" in facts
        assert "$7.83" in facts  # the spread: -12.17 less -20
        view.show(told(tiny_market, station="Upper Lake"))
        assert "Energy drawn" in paint(view.layout)
        view.show(told(tiny_market, station="Colliery"))
        assert "Starts" in paint(view.layout)

    def test_capacity_follows_the_registry(self, tiny_market):
        tables = told(tiny_market, region="NSW1", station="Old Dam")
        assert sorted(set(np.round(tables.series["capacity_mw"], 6))) == [60.0, 90.0]  # [23]
        assert tables.totals.capacity_mw == pytest.approx(90)

    def test_a_unit_without_a_region_has_no_capture_rate(self, tiny_market):
        tables = told(tiny_market, station="MYSTERY1")
        assert tables.capture_rate is None
        assert tables.totals.energy_mwh == pytest.approx(2.5)  # [9] J1
        assert tables.chosen.fuel_id == "unknown"

    def test_left_to_itself_it_asks_only_for_what_is_stored(self, tiny_market):
        assert told(tiny_market).resolution == "30min"
        assert told(tiny_market, resolution="5min").resolution == "5min"
        assert told(tiny_market, resolution="1d").resolution == "1d"

    def test_a_start_is_a_half_hour_after_one_without(self, tiny_market):
        assert told(tiny_market, station="Colliery").starts == 1  # 00:30, for 01:00 begins to run
        assert told(tiny_market, station="Sunfield").starts == 2  # each morning
        assert told(tiny_market, station="Standby").starts == 0  # never told of

    def test_running_hours_and_readings(self, tiny_market):
        row = told(tiny_market, station="Colliery", range=LEAP_DAY).totals
        assert row.running_hours == pytest.approx(277 / 12)
        assert row.reading_share == 1
        assert told(tiny_market, station="Standby").totals.reading_share == 0

    def test_units_are_summed_before_anything_else(self, answer):
        """J7: of two units that never run at once, the station's highest is one unit's, and its mean half of it each."""
        window = Window(datetime(2024, 3, 1), datetime(2024, 3, 1, 2))
        rows = [
            _unit_row(hour, duid, energy_mwh=100.0 if (hour == 0) == (duid == "A1") else 0.0)
            for hour in (0, 1)
            for duid in ("A1", "A2")
        ]
        series = station_series(answer(rows, window, query="capacity_factor"), None)
        assert list(series["mean_mw"]) == [100, 100]
        assert list(series["capacity_mw"]) == [200, 200]

    def test_a_batterys_two_units_count_its_capacity_once(self, answer):
        """P1: a pair of the time before integrated units."""
        window = Window(datetime(2024, 3, 1), datetime(2024, 3, 1, 1))
        rows = [
            _unit_row(0, "BG1", fueltech_id="battery_discharging"),
            _unit_row(0, "BL1", fueltech_id="battery_charging"),
        ]
        series = station_series(answer(rows, window, query="capacity_factor"), None)
        assert list(series["capacity_mw"]) == [100]

    def test_the_export_is_the_series(self, tiny_market):
        """P7."""
        tables = told(tiny_market, station="O'Hara's Ridge")
        (one,) = tables.exports
        assert one.title == "O'Hara's Ridge"
        assert one.table["mean_mw"].to_pylist() == pytest.approx(list(tables.series["mean_mw"]))
        assert one.questions[0].filters == {"duid": ("WIND1",)}


def _unit_row(hour: int, duid: str, **facts) -> dict:
    start = datetime(2024, 3, 1, hour)
    return {
        "interval_start": start, "interval_end": start.replace(hour=hour + 1), "duid": duid, "station_name": "Twin",
        "region_id": "NSW1", "fueltech_id": "gas_ocgt", "energy_mwh": 0.0, "charge_mwh": 0.0, "potential_mwh": 100.0,
        **facts,
    }  # fmt: skip


def test_starts_are_counted_by_unit_and_not_across_a_gap():
    halves = [
        ("A1", 0, 0, 0.0), ("A1", 30, 6, 1.0), ("A1", 60, 0, 0.0), ("A1", 120, 6, 1.0),
        ("A2", 0, 6, 1.0), ("A2", 30, 0, None), ("A2", 60, 6, 1.0),
    ]  # fmt: skip
    start = np.datetime64("2024-03-01", "us")
    table = pa.table(
        {
            "interval_start": [start + np.timedelta64(at, "m") for _, at, _, _ in halves],
            "interval_end": [start + np.timedelta64(at + 30, "m") for _, at, _, _ in halves],
            "duid": [row[0] for row in halves],
            "running_count": [row[2] for row in halves],
            "energy_mwh": [row[3] for row in halves],
        }
    )
    assert starts_of(table) == 1


class TestPatterns:
    def test_power_by_the_clock(self, tiny_market):
        profile = told(tiny_market, "patterns", station="Sunfield").profile
        assert profile["all"][20] == pytest.approx(48)  # 10:00
        assert profile["all"][17] == pytest.approx(24 / 6)  # the label 09:00 alone: (0 + 48) / 2
        assert profile["all"][0] == 0
        assert np.isnan(profile["weekend"]).all()

    def test_a_battery_draws_below_zero(self, tiny_market):
        profile = told(tiny_market, "patterns", station="Big Battery", range=LEAP_DAY).profile
        assert profile["charge"].min() == pytest.approx(-36)
        assert profile["all"][24] == pytest.approx(16)  # [8]

    def test_factors_by_month(self, tiny_market):
        """E6: a month of which only a day is held says so."""
        months = told(tiny_market, "patterns", station="Old Dam").months
        assert list(months["capacity_factor"]) == pytest.approx([1 / 2, 1 / 3])  # [23]
        assert list(months["is_whole"]) == [False, False]


class TestLeague:
    def test_it_is_by_capacity_factor_with_the_unknown_last(self, tiny_market):
        rows = told(tiny_market, "league").rows
        factors = [row.totals.capacity_factor for row in rows]
        known = [factor for factor in factors if factor is not None]
        assert known == sorted(known, reverse=True)
        assert factors[len(known) :] == [None] * (len(factors) - len(known))
        by_name = {row.station_name: row for row in rows}
        assert by_name["Colliery"].totals.capacity_factor == pytest.approx(2820.5 / 5760)
        assert by_name["O'Hara's Ridge"].totals.energy_mwh == pytest.approx(575)  # J15
        assert by_name["Upper Lake"].totals.capacity_factor is None  # a load has none
        assert by_name["Standby"].totals.energy_mwh is None  # [26] J5: registered, and never told of

    def test_region_and_fuel_narrow_it(self, tiny_market):
        tables = told(tiny_market, "league", region="SA1")
        assert {row.region_id for row in tables.rows} == {"SA1"}
        assert [row.station_name for row in told(tiny_market, "league", fuel="gas").rows] == ["Standby"]
        assert [row.station_name for row in told(tiny_market, "league", fuel="battery").rows] == ["Big Battery"]

    def test_a_newcomer_below_nine_tenths_is_being_commissioned(self, tiny_market):
        rows = {row.station_name: row for row in told(tiny_market, "league").rows}
        assert rows["Newcomer"].is_commissioning  # registered since, 6 of 10 MW at most
        assert not rows["Colliery"].is_commissioning  # 72 of 120 MW, but there from the beginning

    def test_badges_are_shown(self, tiny_market):
        view = build_league()
        view.show(told(tiny_market, "league"))
        html = paint(view.layout)
        assert "commissioning" in html
        assert "capacity unknown" in html
        assert "station=O&#x27;Hara&#x27;s Ridge" in html

    def test_the_export_has_every_duid(self, tiny_market):
        """P7."""
        tables = told(tiny_market, "league")
        table = tables.exports[0].table
        assert table.num_rows == len(tables.rows)
        assert {"COAL1", "MYSTERY1", "IDLE1"} <= set(" ".join(table["duids"].to_pylist()).split())


def test_the_search_knows_every_station_whatever_the_region(tiny_market):
    """C12, J14: names as they are; a station is its name."""
    places = told(tiny_market, region="SA1").places
    assert {"Colliery", "O'Hara's Ridge", "MYSTERY1"} <= {place.station_name for place in places}
    box = search_box(places)
    assert "O'Hara's Ridge" not in box
    assert 'value="O\'Hara\'s Ridge" data-units="WIND1"' in unescape(box)
