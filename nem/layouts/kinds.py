"""The layouts that are known, as literals: which files hold a table, and what its columns are in them.

Files are told by their names alone; case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from nem.aemo import FIVE_MINUTE_SETTLEMENT, FLOW, INITIAL_MW, PRICE, REGION_SUM, ROOFTOP, SCADA, TRADING_PRICE, Shape
from nem.windows import HORIZON


@dataclass(frozen=True, slots=True, eq=False)
class Edition:
    """A table of the lake as a folder's files have it: those of these names, in AEMO's columns.

    A row labelled off the grid of ``shape`` is none of this edition's.
    """

    files: re.Pattern[str]
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Editions by table, in order of preference: a day is read from the first that holds any of it.

    With ``grows``, one file has all of time and is written anew with each new row, so only its rows tell whether a
    day's have changed; elsewhere a file is a month, and its time and size do.
    """

    name: str
    editions: Mapping[str, tuple[Edition, ...]]
    looks_like: str  # for people
    units: re.Pattern[str] | None = None
    grows: bool = False


def _named(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _nemosis(table: str) -> re.Pattern[str]:
    """``PUBLIC_DVD_TABLE_202104010000``, ``PUBLIC_ARCHIVE#TABLE#FILE01#202408010000``, ``TABLE_2021_04`` or ``TABLE``."""
    return _named(rf"(PUBLIC_DVD_|PUBLIC_ARCHIVE#)?{table}([_#](FILE\d+#)?\d[\d_-]*)?\.parquet")


def _half_hourly(shape: Shape) -> Shape:
    """``shape`` where every row holds for its half hour."""
    return shape._replace(half_hours_until=HORIZON, minutes=30)


NEMOSIS = Layout(
    "a NEMOSIS cache",
    {
        "unit_scada": (
            Edition(_nemosis("DISPATCH_UNIT_SCADA"), SCADA),
            Edition(_nemosis("DISPATCHLOAD"), INITIAL_MW),  # the same reading
        ),
        "regional_price": (
            Edition(_nemosis("DISPATCHPRICE"), PRICE),
            Edition(_nemosis("TRADINGPRICE"), TRADING_PRICE),
        ),
        "regional_demand": (Edition(_nemosis("DISPATCHREGIONSUM"), REGION_SUM),),
        "interconnector_flow": (Edition(_nemosis("DISPATCHINTERCONNECTORRES"), FLOW),),
        "rooftop_pv": (Edition(_nemosis("ROOFTOP_PV_ACTUAL"), ROOFTOP),),
    },
    "DISPATCHPRICE, DISPATCH_UNIT_SCADA and the like as PUBLIC_DVD_<table>_<month>.parquet or "
    "PUBLIC_ARCHIVE#<table>#FILE01#<month>.parquet",
)

# The updater's 30-minute files have 5-minute rows among them since October 2021: those are off the grid.
FLAT = Layout(
    "the flat files of an older updater",
    {
        "unit_scada": (
            Edition(_named(r"scada5\.parquet"), SCADA),
            Edition(_named(r"scada30\.parquet"), _half_hourly(SCADA)),
        ),
        "regional_price": (
            Edition(_named(r"prices5\.parquet"), PRICE),
            Edition(_named(r"prices30\.parquet"), _half_hourly(TRADING_PRICE)),
        ),
        "regional_demand": (
            Edition(
                _named(r"demand30\.parquet"),
                _half_hourly(
                    Shape(
                        ("SETTLEMENTDATE", "REGIONID", "DEMAND"),
                        {"region_id": "regionid", "demand_operational_mw": "demand"},
                    )
                ),
            ),
        ),
        "interconnector_flow": (
            Edition(_named(r"transmission5\.parquet"), FLOW),
            Edition(_named(r"transmission30\.parquet"), _half_hourly(FLOW)),
        ),
        "rooftop_pv": (
            Edition(_named(r"rooftop30\.parquet"), ROOFTOP._replace(columns=("SETTLEMENTDATE", *ROOFTOP.columns[1:]))),
        ),
    },
    "scada5.parquet, prices5.parquet, transmission5.parquet, rooftop30.parquet and gen_info.csv",
    units=_named(r"gen_info\.(csv|parquet)"),
    grows=True,
)

_PUBLISHED = _named(r"PRICE_AND_DEMAND_(?P<month>\d{6})_\w+\.csv(\.gz)?")
PRICE_AND_DEMAND = Layout(
    "AEMO's PRICE_AND_DEMAND files",
    {
        "regional_price": (
            Edition(
                _PUBLISHED,
                Shape(
                    ("SETTLEMENTDATE", "REGION", "RRP"),
                    {"region_id": "region", "rrp": "rrp", "priority": "0"},  # a trading price
                    half_hours_until=FIVE_MINUTE_SETTLEMENT,
                ),
            ),
        ),
        "regional_demand": (
            Edition(
                _PUBLISHED,
                Shape(
                    ("SETTLEMENTDATE", "REGION", "TOTALDEMAND"),
                    {"region_id": "region", "demand_mw": "totaldemand"},
                    half_hours_until=FIVE_MINUTE_SETTLEMENT,
                ),
            ),
        ),
    },
    "PRICE_AND_DEMAND_<month>_<region>.csv or .csv.gz",
)

LAYOUTS = (FLAT, NEMOSIS, PRICE_AND_DEMAND)
