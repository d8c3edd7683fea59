"""The stack, the rows of bands and the renewable share, on tables small enough to work by hand."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from dashboard.bands import BANDS, stack_order
from dashboard.tables import supply
from nem.fuels import FUELS
from nem.windows import Window
from tests.dashboard.rows import DAY, hours, row


def fuel(hour: int, name: str, energy: float | None, **values):
    facts = {"reading_count": 12, "provisional_count": 0, "priced_energy_mwh": energy, "market_value_aud": energy}
    return row(hour, fueltech_id=name, energy_mwh=energy, **{**facts, **values})


def price(hour: int, **values):
    flows = {"import_mwh": 0.0, "export_mwh": 0.0, "demand_mwh": 100.0, "provisional_count": 0}
    return row(hour, **{**flows, "twa_price": 40.0, "demand_weighted_price": 41.0, **values})


def ids(drawn: supply.Stack) -> list[str]:
    return [band.id for band in drawn.bands]


class TestStack:
    def test_loads_and_exports_stand_below_zero_in_fuel_order(self, answer):
        generation = answer(
            [fuel(0, "wind", 60.0), fuel(0, "battery_charging", 5.0), fuel(0, "gas_ccgt", 30.0)], hours(0, 1)
        )
        drawn = supply.stack(generation, answer([price(0, export_mwh=12.0)], hours(0, 1)), "SA1")
        assert ids(drawn) == ["battery_charging", "exports", "gas_ccgt", "wind"]
        assert [drawn.columns[name].tolist() for name in ids(drawn)] == [[-5.0], [-12.0], [30.0], [60.0]]
        assert (drawn.columns["supply"].tolist(), drawn.columns["demand"].tolist()) == ([90.0], [100.0])
        assert (drawn.columns["price"].tolist(), drawn.unit) == ([40.0], "MW")

    def test_the_market_has_no_exchanges_and_a_demand_weighted_price(self, answer):
        """J13."""
        prices = answer([price(0, import_mwh=9.0, export_mwh=4.0)], hours(0, 1))  # of regions, were they added up
        drawn = supply.stack(answer([fuel(0, "wind", 60.0)], hours(0, 1)), prices, "NEM")
        assert (ids(drawn), drawn.columns["price"].tolist()) == (["wind"], [41.0])

    def test_power_is_taken_over_the_part_of_a_bucket_that_is_covered(self, answer):
        """E6, E7: 6 MWh in half an hour are 12 MW; and the bucket is marked as cut short."""
        window = Window(DAY, DAY + timedelta(minutes=30))
        generation = answer([fuel(0, "wind", 60.0, complete=False)], window)
        drawn = supply.stack(generation, answer([price(0, import_mwh=6.0)], window), "SA1")
        assert (drawn.columns["imports"].tolist(), drawn.columns["wind"].tolist()) == ([12.0], [120.0])
        assert drawn.columns["marked"].tolist() == [1.0]

    def test_the_newest_provisional_buckets_are_marked_and_older_ones_are_not(self, answer):
        """P2."""
        rows = [fuel(hour, "wind", 1.0, provisional_count=count) for hour, count in enumerate((1, 0, 2, 1))]
        drawn = supply.stack(answer(rows, hours(0, 4)), answer([price(hour) for hour in range(4)], hours(0, 4)), "SA1")
        assert drawn.columns["marked"].tolist() == [0.0, 0.0, 1.0, 1.0]

    def test_a_gap_becomes_one_row_of_nothing(self, answer):
        generation = answer([fuel(0, "wind", 60.0), fuel(3, "wind", 30.0)], hours(0, 4))
        columns = supply.stack(generation, answer([price(0), price(3)], hours(0, 4)), "SA1").columns
        assert np.isnan(columns["wind"]).tolist() == [False, True, False]

    def test_a_fuel_without_a_row_in_a_covered_bucket_gives_nothing(self, answer):
        generation = answer([fuel(0, "wind", 60.0), fuel(0, "hydro", 5.0), fuel(1, "wind", 30.0)], hours(0, 2))
        columns = supply.stack(generation, answer([price(0), price(1)], hours(0, 2)), "SA1").columns
        assert (columns["hydro"].tolist(), columns["supply"].tolist()) == ([5.0, 0.0], [65.0, 30.0])

    def test_energy_is_what_a_bucket_holds_in_a_unit_that_reads_well(self, answer):
        generation = answer([fuel(0, "wind", 60.0)], hours(0, 1))
        drawn = supply.stack(generation, answer([price(0)], hours(0, 1)), "SA1", unit="energy")
        assert (drawn.unit, drawn.columns["wind"].tolist(), drawn.columns["demand"].tolist()) == (
            "MWh",
            [60.0],
            [100.0],
        )
        large = answer([fuel(0, "wind", 20_000.0)], hours(0, 1))
        drawn = supply.stack(large, answer([price(0)], hours(0, 1)), "SA1", unit="energy")
        assert (drawn.unit, drawn.columns["wind"].tolist(), drawn.columns["demand"].tolist()) == ("GWh", [20.0], [0.1])

    def test_shares_are_of_the_regions_own_supply_and_add_up_to_100(self, answer):
        rows = [
            fuel(0, "wind", 30.0),
            fuel(0, "gas_ccgt", 60.0),
            fuel(0, "battery_discharging", 10.0),
            fuel(0, "pumps", 7.0),
        ]
        prices = answer([price(0, import_mwh=50.0)], hours(0, 1))
        drawn = supply.stack(answer(rows, hours(0, 1)), prices, "SA1", unit="share")
        assert ids(drawn) == ["gas_ccgt", "battery_discharging", "wind"]
        assert [drawn.columns[name][0] for name in ids(drawn)] == [60.0, 10.0, 30.0]
        assert np.isnan(drawn.columns["demand"]).all()

    def test_a_grouping_adds_fuels_up_before_anything_else(self, answer):
        rows = [
            fuel(0, name, energy)
            for name, energy in (("gas_ccgt", 30.0), ("gas_ocgt", 10.0), ("wind", 5.0), ("solar_rooftop", 6.0))
        ]
        rows += [fuel(0, "pumps", 3.0), fuel(0, "battery_charging", 4.0)]

        def drawn(grouping):
            made = supply.stack(
                answer(rows, hours(0, 1)), answer([price(0, import_mwh=9.0)], hours(0, 1)), "SA1", grouping
            )
            return {name: made.columns[name][0] for name in ids(made)}

        assert drawn("simplified") == {
            "battery_charging": -4.0,
            "pumps": -3.0,
            "imports": 9.0,
            "gas": 40.0,
            "wind": 5.0,
            "solar": 6.0,
        }
        assert drawn("renewable") == {"loads": -7.0, "imports": 9.0, "fossil": 40.0, "renewables": 11.0}
        assert drawn("sources") == {"loads": -7.0, "imports": 9.0, "sources": 51.0}


class TestBands:
    def test_every_fuel_has_one_band_in_every_grouping_and_keeps_its_side(self):
        for bands in BANDS.values():
            assert list(bands) == list(FUELS)
            for name, band in bands.items():
                assert band.below_zero == (FUELS[name].kind == "load" or name == "exports")

    def test_rooftop_is_on_top_and_loads_come_first(self):
        assert stack_order("detailed")[-1].id == "solar_rooftop"
        assert [band.id for band in stack_order("sources")] == ["loads", "exports", "imports", "sources"]

    def test_pumps_are_the_only_hydro_load_and_conventional_hydro_is_none(self):
        """J10."""
        assert [name for name, band in BANDS["detailed"].items() if band.kind == "load"] == [
            "battery_charging",
            "pumps",
        ]
        assert not BANDS["detailed"]["hydro"].below_zero


class TestRenewableShare:
    """J9: rooftop on both sides, storage and imports in neither, none at all while an input is missing."""

    ROWS = (("wind", 30.0), ("solar_rooftop", 10.0), ("gas_ccgt", 60.0), ("battery_discharging", 40.0), ("pumps", 7.0))

    @pytest.fixture
    def share(self, answer):
        def of(*rows, last=1, region="SA1"):
            return supply.renewable_share(answer(list(rows), hours(0, last)), region)

        return of

    def test_is_summed_then_divided(self, share):
        first = [fuel(0, name, energy) for name, energy in self.ROWS]
        second = [fuel(1, "wind", 0.0), fuel(1, "solar_rooftop", 0.0), fuel(1, "gas_ccgt", 300.0)]
        assert share(*first) == pytest.approx(0.4)
        assert share(*first, *second, last=2) == pytest.approx(40 / 400)

    def test_is_unknown_where_rooftop_is_missing(self, share):
        assert share(fuel(0, "wind", 30.0), fuel(0, "gas_ccgt", 60.0)) is None
        assert share(fuel(0, "wind", 30.0), fuel(0, "solar_rooftop", None, reading_count=0)) is None

    def test_is_unknown_where_a_label_of_the_bucket_lacks_rooftop(self, share):
        rows = [fuel(0, name, energy, reading_count=11) for name, energy in self.ROWS]
        assert share(*rows) is None

    def test_of_the_whole_market_needs_every_regions_rooftop(self, share):
        rows = [fuel(0, name, energy, reading_count=48) for name, energy in self.ROWS]
        assert share(*rows, region="NEM") is None
        rows = [fuel(0, name, energy, reading_count=60) for name, energy in self.ROWS]
        assert share(*rows, region="NEM") == pytest.approx(0.4)

    def test_a_bucket_without_every_input_is_left_out_of_both_sums_while_few_are(self, share):
        whole = [fuel(hour, name, energy) for hour in range(20) for name, energy in self.ROWS]
        assert share(*whole, fuel(20, "wind", 900.0), last=21) == pytest.approx(0.4)  # 20 of 21 hours are 95.2 %
        assert share(*whole[: 18 * len(self.ROWS)], fuel(18, "wind", 900.0), last=19) is None  # 18 of 19 are 94.7 %

    def test_is_unknown_where_only_rooftop_reports(self, share):
        assert share(fuel(0, "solar_rooftop", 10.0)) is None

    def test_is_unknown_where_nothing_generates(self, share):
        assert share(fuel(0, "wind", 0.0), fuel(0, "solar_rooftop", 0.0)) is None

    def test_of_no_rows_is_unknown(self, answer):
        made = answer([fuel(0, "wind", 1.0)], hours(0, 1))
        empty = supply.renewable_share(type(made)(made.table.slice(0, 0), made.receipt), "SA1")
        assert empty is None


class TestRows:
    def test_divide_sums_and_leave_loads_out_of_supply(self, answer):
        """J4: what has no price is in neither sum."""

        def priced(hour, name, energy, priced_energy, value):
            return fuel(hour, name, energy, priced_energy_mwh=priced_energy, market_value_aud=value)

        rows = [
            priced(0, "wind", 10.0, 10.0, 400.0),
            priced(1, "wind", 30.0, 20.0, 200.0),
            priced(0, "pumps", 8.0, 8.0, 80.0),
            priced(0, "battery_discharging", 10.0, 10.0, -50.0),
            priced(0, "distillate", 0.0, 0.0, 0.0),
        ]
        wind, battery, pumps = supply.fuel_rows(answer(rows, hours(0, 2)))
        assert (wind.energy_mwh, wind.mean_mw, wind.share) == (40.0, 20.0, 0.8)
        assert wind.dwa_price == 20.0  # 600 / 30: the unpriced 10 MWh are in neither sum
        assert (battery.share, battery.dwa_price) == (0.2, -5.0)
        assert (pumps.band.id, pumps.share, pumps.capacity_factor, pumps.energy_mwh) == ("pumps", None, None, -8.0)

    def test_exchanges_have_energy_and_power_alone(self, answer):
        prices = answer([price(0, import_mwh=30.0), price(1, export_mwh=10.0)], hours(0, 2))
        rows = {
            row.band.id: row for row in supply.fuel_rows(answer([fuel(0, "wind", 10.0)], hours(0, 2)), price=prices)
        }
        assert (rows["imports"].energy_mwh, rows["imports"].mean_mw) == (30.0, 15.0)
        assert rows["exports"].energy_mwh == -10.0
        assert (rows["imports"].share, rows["imports"].dwa_price, rows["imports"].market_value_aud) == (
            None,
            None,
            None,
        )
        assert rows["wind"].share == 1.0  # imports are not the region's own supply

    def test_a_groups_capacity_factor_leaves_storage_out(self):
        """P1, J15."""
        units = pa.table(
            {
                "fueltech_id": ["wind", "gas_ccgt", "battery", "battery_discharging", "wind", "hydro"],
                "rated_energy_mwh": [50.0, 10.0, 99.0, 99.0, None, None],
                "potential_mwh": [660.0, 10.0, 100.0, 100.0, None, None],
            }
        )
        assert supply.band_factors(units, "sources") == {"sources": pytest.approx(60 / 670)}
        assert supply.band_factors(units, "detailed") == {
            "wind": pytest.approx(50 / 660),
            "gas_ccgt": 1.0,
            "hydro": None,
        }
