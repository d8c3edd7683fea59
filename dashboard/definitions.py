"""What the quantities on the pages are, in the words of their tooltips, each once."""

from __future__ import annotations

ENERGY = "energy: mean power over each interval times its hours"
VALUE = "energy times the price it is settled at; before loss factors, FCAS and hedges"
DWA = "dispatch-weighted price: market value over the energy that has a price"
FACTOR = (
    "energy over capacity (maximum, else registered, as of the date) times the hours registered; units of unknown capacity are "
    "in neither; never clipped, above 100 % is flagged"
)
CAPTURE = (
    "dispatch-weighted price over the time-weighted price of the region; over several regions, what was earned over what the "
    "same energy would have earned at each region's own mean. A dash where that mean is not above 0"
)
SHARE = "of all supply within the region: generation, rooftop and storage discharge"
RENEWABLE = (
    "Hydro, wind, solar, rooftop and bioenergy over all generation including rooftop; storage discharge and imports are "
    "in neither. Over the hours in which every input is known; a dash where those are fewer than 95 %."
)
