"""AEMO's tables under AEMO's names, and what the lake makes of each: the only place where the two meet.

A shape is (columns, gives, where, half_hours_until, minutes): the columns that are read, of which the label, the key and
the measure come first and must be there, while others may be absent and are then null; the lake's columns as SQL over
them; which rows count; until which label, if any, a row holds for its whole half hour; and the grid of its labels. Case
does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from nem.regions import REGIONS


class Shape(NamedTuple):
    """A table of AEMO's as rows of the lake; the label is always ``settlement_date``."""

    columns: tuple[str, ...]
    gives: Mapping[str, str]
    where: str = "true"
    half_hours_until: datetime | None = None
    minutes: int = 5

    @property
    def label(self) -> str:
        """Its first column."""
        return self.columns[0]


AEMO_TIME = "%Y/%m/%d %H:%M:%S"
FIVE_MINUTE_SETTLEMENT = datetime(2021, 10, 1)  # labels up to it that are half-hourly stand for their six

# What AEMO's columns hold; all that are not here are DOUBLE.
AEMO_TYPES = {
    **dict.fromkeys(("SETTLEMENTDATE", "INTERVAL_DATETIME", "LASTCHANGED"), "TIMESTAMP"),
    **dict.fromkeys(("DUID", "REGIONID", "REGION", "INTERCONNECTORID", "TYPE"), "VARCHAR"),
    **dict.fromkeys(("PRICE_STATUS", "MII_STATUS", "OCD_STATUS", "BIDTYPE"), "VARCHAR"),
    **dict.fromkeys(("INTERVENTION", "APCFLAG"), "INTEGER"),
    **dict.fromkeys(("EFFECTIVEDATE", "START_DATE", "END_DATE"), "DATE"),
    **dict.fromkeys(("DISPATCHTYPE", "SCHEDULE_TYPE", "STATIONID", "STATIONNAME", "GENSETID"), "VARCHAR"),
}

# The registration tables, of which ``nem.registry`` makes a registry, and what is read of them.
REGISTRATION: Mapping[str, tuple[str, ...]] = {
    "DUDETAIL": (
        *("DUID", "EFFECTIVEDATE", "VERSIONNO", "DISPATCHTYPE"),
        *("REGISTEREDCAPACITY", "MAXCAPACITY", "MAXSTORAGECAPACITY"),
    ),
    "DUDETAILSUMMARY": ("DUID", "START_DATE", "END_DATE", "DISPATCHTYPE", "REGIONID", "STATIONID", "SCHEDULE_TYPE"),
    "STATION": ("STATIONID", "STATIONNAME"),
    "GENUNITS": ("GENSETID", "CO2E_EMISSIONS_FACTOR"),
}


SCADA = Shape(
    ("SETTLEMENTDATE", "DUID", "SCADAVALUE", "LASTCHANGED"),
    {"duid": "duid", "scada_mw": "scadavalue", "priority": "1", "last_changed": "lastchanged"},
)
PRICE = Shape(
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
PRICE_REVISION = Shape(  # DISPATCH_PRICE_REVISION of the data model: what a review made of a price
    ("SETTLEMENTDATE", "REGIONID", "RRP_NEW", "INTERVENTION", "BIDTYPE", "LASTCHANGED"),
    {"region_id": "regionid", "rrp": "rrp_new", "priority": "1", "last_changed": "lastchanged"},
    "coalesce(intervention, 0) = 0 AND bidtype = 'ENERGY' AND rrp_new IS NOT NULL",
)
TRADING_PRICE = Shape(
    ("SETTLEMENTDATE", "REGIONID", "RRP", "PRICE_STATUS", "LASTCHANGED"),
    {
        "region_id": "regionid",
        "rrp": "rrp",
        "price_status": "price_status",
        "priority": "0",
        "last_changed": "lastchanged",
    },
    half_hours_until=FIVE_MINUTE_SETTLEMENT,
)
FLOW = Shape(
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
        "priority": "intervention",  # the physical run wins
        "last_changed": "lastchanged",
    },
)
REGION_SUM = Shape(
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
ROOFTOP = Shape(
    ("INTERVAL_DATETIME", "REGIONID", "POWER", "QI", "TYPE", "LASTCHANGED"),
    {
        "region_id": "regionid",
        "rooftop_mw": "power",
        "last_changed": "lastchanged",
        "priority": "CASE type WHEN 'DAILY' THEN 2 WHEN 'MEASUREMENT' THEN 1 WHEN 'SATELLITE' THEN 0 END",
    },
    # Sub-regions (QLDN, TASS) are parts of these; quality 0 is AEMO's word for no measurement, and so is no power.
    f"regionid IN {tuple(REGIONS)} AND power IS NOT NULL AND coalesce(qi, 1) > 0",
    minutes=30,
)
INITIAL_MW = Shape(  # the same reading as SCADA's, and there a day later: it fills what SCADA lacks
    ("SETTLEMENTDATE", "DUID", "INITIALMW", "LASTCHANGED"),
    {"duid": "duid", "scada_mw": "initialmw", "priority": "0", "last_changed": "lastchanged"},
)


def interval_count(label: str, half_hours_until: datetime | None) -> str:
    """SQL for how many intervals a row labelled ``label`` stands for."""
    if half_hours_until is None:
        return "1"
    return f"CASE WHEN {label} <= TIMESTAMP '{half_hours_until}' THEN 6 ELSE 1 END"


def interval_labels(label: str, half_hours_until: datetime | None) -> str:
    """SQL for the labels of those intervals, each a row."""
    if half_hours_until is None:
        return label
    return f"{label} - to_minutes(5 * unnest(range({interval_count(label, half_hours_until)})))"
