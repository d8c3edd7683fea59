"""The one list of fuels: order, groups, colours, and what is renewable."""

from __future__ import annotations

import re

from nem.fuels import FUELS, GROUPS, LOADS, RENEWABLES

# Bottom to top of the stack, as docs of the market give it; "unknown" is ours, and stands with what it cannot tell apart.
ORDER = [
    "battery_charging",
    "pumps",
    "exports",
    "imports",
    "coal_brown",
    "coal_black",
    "bioenergy_biomass",
    "bioenergy_biogas",
    "distillate",
    "gas_steam",
    "gas_ccgt",
    "gas_ocgt",
    "gas_recip",
    "gas_wcmg",
    "battery_discharging",
    "hydro",
    "wind",
    "solar_utility",
    "solar_rooftop",
]


def test_fuels_stand_in_stack_order():
    assert [fuel for fuel in FUELS if fuel != "unknown"] == ORDER


# J1
def test_unknown_is_a_fuel_of_its_own():
    assert FUELS["unknown"].group == "unknown"
    assert FUELS["unknown"].kind == "generation"


def test_every_fuel_has_a_label_a_colour_and_a_group():
    for fuel in FUELS.values():
        assert fuel.label
        assert re.fullmatch("#[0-9A-F]{6}", fuel.colour), fuel.id
        assert fuel.group in GROUPS


def test_no_two_fuels_share_a_label_or_colour():
    assert len({fuel.label for fuel in FUELS.values()}) == len({fuel.colour for fuel in FUELS.values()}) == len(FUELS)


def test_every_group_holds_a_fuel_and_stands_where_its_first_does():
    assert list(GROUPS) == list(dict.fromkeys(fuel.group for fuel in FUELS.values()))


# J9
def test_renewables_are_hydro_wind_solar_and_bioenergy():
    assert set(RENEWABLES) == {
        *("hydro", "wind", "solar_utility", "solar_rooftop", "bioenergy_biomass", "bioenergy_biogas")
    }


# J9, J10: what storage gives back is not new energy, and a load is no supply.
def test_loads_and_storage_are_not_renewable():
    assert LOADS == ("battery_charging", "pumps")
    assert FUELS["battery_discharging"].kind == "storage"
    assert {fuel.kind for fuel in FUELS.values() if fuel.renewable} == {"generation"}
