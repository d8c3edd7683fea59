"""Names and colours of what is drawn: fuels from `nem.fuels`, regions, prices; figures take the rest from the page's CSS."""

from __future__ import annotations

from nem.fuels import FUELS
from nem.regions import NEM, REGIONS

PRICE = "#D9482B"
DEMAND = "#34363A"
CAPACITY = "#8C8C8C"
FLOW = "#8A63C2"  # of an interconnector: between imports' and exports' colours, for either page
AT_LIMIT = "#D9362B"
PROVISIONAL = "#B98200"
# An outline for what would vanish, on a dark page or on a white one.
EDGES = {"coal_black": "#77797D", "imports": FLOW, "solar_rooftop": "#D8C53F"}
# Distinct on white and on near-black, apart from the fuel colours' meaning; the market in the ink of a neutral line.
REGION_COLOURS = {
    "NSW1": "#3B7DD8",
    "QLD1": "#B74C83",
    "SA1": "#CC7A12",
    "TAS1": "#2A9D8F",
    "VIC1": "#7A5BC7",
    NEM: "#7C7F86",
}
REGION_NAMES = {NEM: "National market", **REGIONS}
_BATTERY = "battery_discharging"  # a registry may name the whole battery, not a direction


def fuel_label(fuel_id: str) -> str:
    """The fuel's name on screen."""
    return "Battery" if fuel_id == "battery" else FUELS[fuel_id].label if fuel_id in FUELS else fuel_id


def fuel_colour(fuel_id: str) -> str:
    """The fuel's colour; that of unknown for one this version does not know."""
    return FUELS[_BATTERY if fuel_id == "battery" else fuel_id if fuel_id in FUELS else "unknown"].colour
