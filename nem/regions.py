"""The regions of the market, and the pseudo-region that sums them."""

from __future__ import annotations

REGIONS = {
    "NSW1": "New South Wales",
    "QLD1": "Queensland",
    "SA1": "South Australia",
    "TAS1": "Tasmania",
    "VIC1": "Victoria",
}
NEM = "NEM"  # every region summed on read, its price weighted by demand; never stored
UNKNOWN_REGION = "unknown"  # where units live that AEMO reports and the registry does not know

# Id: its name, and the regions it joins. A positive flow is from the first to the second. AEMO may name others.
INTERCONNECTORS = {
    "NSW1-QLD1": ("QNI", "NSW1", "QLD1"),
    "N-Q-MNSP1": ("Terranora", "NSW1", "QLD1"),
    "VIC1-NSW1": ("VIC\N{EN DASH}NSW", "VIC1", "NSW1"),
    "V-SA": ("Heywood", "VIC1", "SA1"),
    "V-S-MNSP1": ("Murraylink", "VIC1", "SA1"),
    "T-V-MNSP1": ("Basslink", "TAS1", "VIC1"),
}
