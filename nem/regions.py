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
