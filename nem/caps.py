"""The market price cap and floor, $/MWh.

Caps hold from a date until the next one's; since 2010 a date is the first of a financial year. Those to July 2020 are of
AEMO's MARKET_PRICE_THRESHOLDS, later ones of the AEMC's annual determinations. Source: AEMO, AEMC.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date

FLOOR = -1_000.0
CAPS = {
    date(1998, 12, 1): 5_000.0,
    date(2002, 4, 1): 10_000.0,
    date(2010, 7, 1): 12_500.0,
    date(2012, 7, 1): 12_900.0,
    date(2013, 7, 1): 13_100.0,
    date(2014, 7, 1): 13_500.0,
    date(2015, 7, 1): 13_800.0,
    date(2016, 7, 1): 14_000.0,
    date(2017, 7, 1): 14_200.0,
    date(2018, 7, 1): 14_500.0,
    date(2019, 7, 1): 14_700.0,
    date(2020, 7, 1): 15_000.0,
    date(2021, 7, 1): 15_100.0,
    date(2022, 7, 1): 15_500.0,
    date(2023, 7, 1): 16_600.0,
    date(2024, 7, 1): 17_500.0,
    date(2025, 7, 1): 20_300.0,
    date(2026, 7, 1): 23_200.0,  # from a secondary source: the determination was not seen
}
_SINCE = list(CAPS)


def price_cap(day: date) -> float:
    """The cap on ``day``; the oldest one before there was any."""
    return CAPS[_SINCE[max(0, bisect_right(_SINCE, day) - 1)]]
