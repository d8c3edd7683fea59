"""The only list of fuel technologies: order, names, groups, colours, and what counts as renewable.

The taxonomy is OpenElectricity's ``fueltech_id``; rows stand in stack order, bottom to top. Colours are those of
OpenElectricity's theme.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["load", "exchange", "generation", "storage"]


@dataclass(frozen=True, slots=True)
class Fuel:
    """A band of the stack.

    ``kind``: ``load`` draws (drawn below zero), ``exchange`` crosses a region's border, ``storage`` gives back what
    it drew, ``generation`` is supply. ``renewable`` leaves storage out: what it gives back is not new energy.
    """

    id: str
    label: str
    colour: str
    kind: Kind
    group: str
    renewable: bool = False


FUELS = {
    fuel.id: fuel
    for fuel in (
        Fuel("battery_charging", "Battery (charging)", "#577CFF", "load", "battery_charging"),
        Fuel("pumps", "Pumps", "#88AFD0", "load", "pumps"),
        Fuel("exports", "Exports", "#927BAD", "exchange", "exports"),
        Fuel("imports", "Imports", "#521986", "exchange", "imports"),
        Fuel("coal_brown", "Coal (brown)", "#744A26", "generation", "coal"),
        Fuel("coal_black", "Coal (black)", "#121212", "generation", "coal"),
        Fuel("bioenergy_biomass", "Bioenergy (biomass)", "#1D7A7A", "generation", "bioenergy", renewable=True),
        Fuel("bioenergy_biogas", "Bioenergy (biogas)", "#4CB9B9", "generation", "bioenergy", renewable=True),
        Fuel("distillate", "Distillate", "#E15C34", "generation", "distillate"),
        Fuel("gas_steam", "Gas (steam)", "#F48E1B", "generation", "gas"),
        Fuel("gas_ccgt", "Gas (CCGT)", "#FDB462", "generation", "gas"),
        Fuel("gas_ocgt", "Gas (OCGT)", "#FFCD96", "generation", "gas"),
        Fuel("gas_recip", "Gas (reciprocating)", "#F9DCBC", "generation", "gas"),
        Fuel("gas_wcmg", "Gas (waste coal mine)", "#B46813", "generation", "gas"),
        Fuel("unknown", "Unknown", "#7F7F7F", "generation", "unknown"),
        Fuel("battery_discharging", "Battery (discharging)", "#3245C9", "storage", "battery_discharging"),
        Fuel("hydro", "Hydro", "#5EA0C0", "generation", "hydro", renewable=True),
        Fuel("wind", "Wind", "#2C7629", "generation", "wind", renewable=True),
        Fuel("solar_utility", "Solar (utility)", "#FED500", "generation", "solar", renewable=True),
        Fuel("solar_rooftop", "Solar (rooftop)", "#FFF58D", "generation", "solar", renewable=True),
    )
}

# Name and colour of each group, in stack order; of several fuels they are its own.
GROUPS = {fuel.group: (fuel.label, fuel.colour) for fuel in FUELS.values()} | {
    "coal": ("Coal", "#25170C"),
    "bioenergy": ("Bioenergy", "#1D7A7A"),
    "gas": ("Gas", "#E87809"),
    "solar": ("Solar", "#FED500"),
}

RENEWABLES = tuple(fuel.id for fuel in FUELS.values() if fuel.renewable)
LOADS = tuple(fuel.id for fuel in FUELS.values() if fuel.kind == "load")
