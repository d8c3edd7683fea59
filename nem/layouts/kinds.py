"""The layouts that are known, as literals: which files hold a table, and what its columns are in them.

Files are told by their names alone. AEMO's column names stay here; case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from nem.windows import HORIZON

FIVE_MINUTE_SETTLEMENT = datetime(2021, 10, 1)  # labels up to it that are half-hourly stand for their six

# What AEMO's columns hold; all that are not here are DOUBLE.
AEMO_TYPES = {
    **dict.fromkeys(("SETTLEMENTDATE", "INTERVAL_DATETIME", "LASTCHANGED"), "TIMESTAMP"),
    **dict.fromkeys(("DUID", "REGIONID", "REGION", "INTERCONNECTORID", "TYPE"), "VARCHAR"),
    **dict.fromkeys(("PRICE_STATUS", "MII_STATUS", "OCD_STATUS"), "VARCHAR"),
    **dict.fromkeys(("INTERVENTION", "APCFLAG"), "INTEGER"),
}


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
    minutes: int = 5  # the grid of its labels: a row labelled otherwise is none of this feed's
    half_hours_until: datetime | None = None  # rows labelled to then hold for their whole half hour


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


_SCADA = (
    ("SETTLEMENTDATE", "DUID", "SCADAVALUE", "LASTCHANGED"),
    {"duid": "duid", "scada_mw": "scadavalue", "priority": "1", "last_changed": "lastchanged"},
)
_PRICE = (
    (
        *("SETTLEMENTDATE", "REGIONID", "RRP", "INTERVENTION"),
        *("PRICE_STATUS", "MII_STATUS", "OCD_STATUS", "APCFLAG", "LASTCHANGED"),
    ),
    {
        "region_id": "regionid",
        "rrp": "rrp",
        "priority": "1",
        "last_changed": "lastchanged",
        "price_status": "price_status",
        "mii_status": "mii_status",
        "ocd_status": "ocd_status",
        "apc_flag": "apcflag",
    },
    "coalesce(intervention, 0) = 0",  # the pricing run
)
_TRADING_PRICE = (
    ("SETTLEMENTDATE", "REGIONID", "RRP", "PRICE_STATUS", "LASTCHANGED"),
    {
        "region_id": "regionid",
        "rrp": "rrp",
        "price_status": "price_status",
        "priority": "0",
        "last_changed": "lastchanged",
    },
)
_FLOW = (
    (
        *("SETTLEMENTDATE", "INTERCONNECTORID", "METEREDMWFLOW", "MWFLOW", "EXPORTLIMIT", "IMPORTLIMIT", "MWLOSSES"),
        *("INTERVENTION", "LASTCHANGED"),
    ),
    {
        "interconnector_id": "interconnectorid",
        "metered_flow_mw": "meteredmwflow",
        "target_flow_mw": "mwflow",
        "export_limit_mw": "exportlimit",
        "import_limit_mw": "importlimit",
        "losses_mw": "mwlosses",
        "priority": "intervention",
        "last_changed": "lastchanged",  # the physical run wins
    },
)
_REGION_SUM = (
    (
        *("SETTLEMENTDATE", "REGIONID", "TOTALDEMAND", "DEMAND_AND_NONSCHEDGEN", "NETINTERCHANGE"),
        *("SS_SOLAR_UIGF", "SS_SOLAR_CLEAREDMW", "SS_WIND_UIGF", "SS_WIND_CLEAREDMW", "INTERVENTION", "LASTCHANGED"),
    ),
    {
        "region_id": "regionid",
        "demand_mw": "totaldemand",
        "demand_operational_mw": "demand_and_nonschedgen",
        "net_interchange_mw": "netinterchange",
        "priority": "intervention",
        "last_changed": "lastchanged",
        "solar_uigf_mw": "ss_solar_uigf",
        "solar_cleared_mw": "ss_solar_clearedmw",
        "wind_uigf_mw": "ss_wind_uigf",
        "wind_cleared_mw": "ss_wind_clearedmw",
    },
)
_ROOFTOP = {
    "region_id": "regionid",
    "rooftop_mw": "power",
    "last_changed": "lastchanged",
    "priority": "CASE type WHEN 'DAILY' THEN 2 WHEN 'MEASUREMENT' THEN 1 WHEN 'SATELLITE' THEN 0 END",
}


def _nemosis(table: str) -> re.Pattern[str]:
    """``PUBLIC_DVD_TABLE_202104010000``, ``PUBLIC_ARCHIVE#TABLE#FILE01#202408010000``, ``TABLE_2021_04`` or ``TABLE``."""
    return _named(rf"(PUBLIC_DVD_|PUBLIC_ARCHIVE#)?{table}([_#](FILE\d+#)?\d[\d_-]*)?\.parquet")


NEMOSIS = Layout(
    "a NEMOSIS cache",
    {
        "unit_scada": (
            Feed(_nemosis("DISPATCH_UNIT_SCADA"), *_SCADA),
            Feed(  # INITIALMW is the same reading
                _nemosis("DISPATCHLOAD"),
                ("SETTLEMENTDATE", "DUID", "INITIALMW", "INTERVENTION", "LASTCHANGED"),
                {"duid": "duid", "scada_mw": "initialmw", "priority": "intervention", "last_changed": "lastchanged"},
            ),
        ),
        "regional_price": (
            Feed(_nemosis("DISPATCHPRICE"), *_PRICE),
            Feed(_nemosis("TRADINGPRICE"), *_TRADING_PRICE, half_hours_until=FIVE_MINUTE_SETTLEMENT),
        ),
        "regional_demand": (Feed(_nemosis("DISPATCHREGIONSUM"), *_REGION_SUM),),
        "interconnector_flow": (Feed(_nemosis("DISPATCHINTERCONNECTORRES"), *_FLOW),),
        "rooftop_pv": (
            Feed(
                _nemosis("ROOFTOP_PV_ACTUAL"),
                ("INTERVAL_DATETIME", "REGIONID", "POWER", "TYPE", "LASTCHANGED"),
                _ROOFTOP,
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
            Feed(_named(r"scada5\.parquet"), *_SCADA),
            Feed(_named(r"scada30\.parquet"), *_SCADA, minutes=30, half_hours_until=HORIZON),
        ),
        "regional_price": (
            Feed(_named(r"prices5\.parquet"), *_PRICE),
            Feed(_named(r"prices30\.parquet"), *_TRADING_PRICE, minutes=30, half_hours_until=HORIZON),
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
            Feed(_named(r"transmission5\.parquet"), *_FLOW),
            Feed(_named(r"transmission30\.parquet"), *_FLOW, minutes=30, half_hours_until=HORIZON),
        ),
        "rooftop_pv": (
            Feed(
                _named(r"rooftop30\.parquet"),
                ("SETTLEMENTDATE", "REGIONID", "POWER", "TYPE", "LASTCHANGED"),
                _ROOFTOP,
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
