"""The layouts that are known, as literals: which files hold a table, and what its columns are in them.

Files are told by their names alone; case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from nem.aemo import FIVE_MINUTE_SETTLEMENT, FLOW, INITIAL_MW, PRICE, REGION_SUM, ROOFTOP, SCADA, TRADING_PRICE
from nem.windows import HORIZON


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """Files that hold a table of the lake under AEMO's names.

    ``columns`` are those read: the label, the key and the measure come first and must be there, others may be absent
    and are then null. ``gives`` has the lake's columns as SQL over them; the label is always ``settlement_date``.
    """

    files: re.Pattern[str]
    columns: tuple[str, ...]
    gives: Mapping[str, str]
    where: str = "true"
    half_hours_until: datetime | None = None  # as in a shape
    minutes: int = 5  # the grid of its labels: a row labelled otherwise is none of this feed's


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Feeds by table, in order of preference: a day is read from the first that holds any of it.

    With ``grows``, one file has all of time and is written anew with each new row, so only its rows tell whether a
    day's have changed; elsewhere a file is a month, and its time and size do.
    """

    name: str
    feeds: Mapping[str, tuple[Feed, ...]]
    looks_like: str  # for people
    units: re.Pattern[str] | None = None
    grows: bool = False


def _named(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _nemosis(table: str) -> re.Pattern[str]:
    """``PUBLIC_DVD_TABLE_202104010000``, ``PUBLIC_ARCHIVE#TABLE#FILE01#202408010000``, ``TABLE_2021_04`` or ``TABLE``."""
    return _named(rf"(PUBLIC_DVD_|PUBLIC_ARCHIVE#)?{table}([_#](FILE\d+#)?\d[\d_-]*)?\.parquet")


NEMOSIS = Layout(
    "a NEMOSIS cache",
    {
        "unit_scada": (
            Feed(_nemosis("DISPATCH_UNIT_SCADA"), *SCADA),
            Feed(  # INITIALMW is the same reading
                _nemosis("DISPATCHLOAD"),
                *INITIAL_MW,
            ),
        ),
        "regional_price": (
            Feed(_nemosis("DISPATCHPRICE"), *PRICE),
            Feed(_nemosis("TRADINGPRICE"), *TRADING_PRICE),
        ),
        "regional_demand": (Feed(_nemosis("DISPATCHREGIONSUM"), *REGION_SUM),),
        "interconnector_flow": (Feed(_nemosis("DISPATCHINTERCONNECTORRES"), *FLOW),),
        "rooftop_pv": (
            Feed(
                _nemosis("ROOFTOP_PV_ACTUAL"),
                *ROOFTOP,
                minutes=30,
            ),
        ),
    },
    "DISPATCHPRICE, DISPATCH_UNIT_SCADA and the like as PUBLIC_DVD_<table>_<month>.parquet or "
    "PUBLIC_ARCHIVE#<table>#FILE01#<month>.parquet",
)

# The updater's 30-minute files have 5-minute rows among them since October 2021: those are off the feed's grid.
FLAT = Layout(
    "the flat files of an older updater",
    {
        "unit_scada": (
            Feed(_named(r"scada5\.parquet"), *SCADA),
            Feed(_named(r"scada30\.parquet"), *SCADA._replace(half_hours_until=HORIZON), minutes=30),
        ),
        "regional_price": (
            Feed(_named(r"prices5\.parquet"), *PRICE),
            Feed(_named(r"prices30\.parquet"), *TRADING_PRICE._replace(half_hours_until=HORIZON), minutes=30),
        ),
        "regional_demand": (
            Feed(
                _named(r"demand30\.parquet"),
                ("SETTLEMENTDATE", "REGIONID", "DEMAND"),
                {"region_id": "regionid", "demand_operational_mw": "demand"},
                minutes=30,
                half_hours_until=HORIZON,
            ),
        ),
        "interconnector_flow": (
            Feed(_named(r"transmission5\.parquet"), *FLOW),
            Feed(_named(r"transmission30\.parquet"), *FLOW._replace(half_hours_until=HORIZON), minutes=30),
        ),
        "rooftop_pv": (
            Feed(
                _named(r"rooftop30\.parquet"),
                ("SETTLEMENTDATE", *ROOFTOP.columns[1:]),
                *ROOFTOP[1:],
                minutes=30,
            ),
        ),
    },
    "scada5.parquet, prices5.parquet, transmission5.parquet, rooftop30.parquet and gen_info.csv",
    units=_named(r"gen_info\.(csv|parquet)"),
    grows=True,
)

PRICE_AND_DEMAND = Layout(
    "AEMO's PRICE_AND_DEMAND files",
    {
        "regional_price": (
            Feed(
                _named(r"PRICE_AND_DEMAND_(?P<month>\d{6})_\w+\.csv(\.gz)?"),
                ("SETTLEMENTDATE", "REGION", "RRP"),
                {"region_id": "region", "rrp": "rrp", "priority": "0"},  # a trading price
                half_hours_until=FIVE_MINUTE_SETTLEMENT,
            ),
        ),
        "regional_demand": (
            Feed(
                _named(r"PRICE_AND_DEMAND_(?P<month>\d{6})_\w+\.csv(\.gz)?"),
                ("SETTLEMENTDATE", "REGION", "TOTALDEMAND"),
                {"region_id": "region", "demand_mw": "totaldemand"},
                half_hours_until=FIVE_MINUTE_SETTLEMENT,
            ),
        ),
    },
    "PRICE_AND_DEMAND_<month>_<region>.csv or .csv.gz",
)

LAYOUTS = (FLAT, NEMOSIS, PRICE_AND_DEMAND)
