"""The tables of the source lake: keys, columns, types and the label step of each.

A column stands here once, with its DuckDB type; its unit is the suffix of its name (``rrp`` and ``settlement_rrp``
are $/MWh). Columns in ``derived`` are worked out when rows land, by ``sql/land_<table>.sql``.

AEMO sends several rows for one key. Of those that hold their measure the greatest ``priority`` wins, then the greatest
``last_changed``: a reading beats the initial MW of a next-day file (1, 0); a dispatch price beats a trading price (1, 0); a
physical run beats the pricing run (its INTERVENTION); a rooftop measurement beats satellite (DAILY 2, MEASUREMENT 1,
SATELLITE 0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from nem.windows import HALF_HOUR, INTERVAL


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the lake; ``key`` starts with ``settlement_date``, ``reaches`` is how far a row leans on others."""

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    derived: tuple[str, ...] = ()
    step: timedelta = INTERVAL
    reaches: timedelta = timedelta(0)

    @property
    def landed(self) -> dict[str, str]:
        """The columns AEMO gives, without the derived ones."""
        return {name: kind for name, kind in self.columns.items() if name not in self.derived}


def no_rows(columns: Mapping[str, str]) -> str:
    """SQL for no row of these columns and types."""
    return f"SELECT {', '.join(f'CAST(NULL AS {kind}) AS {name}' for name, kind in columns.items())} LIMIT 0"


_STANDING = {"priority": "INTEGER", "last_changed": "TIMESTAMP"}

TABLES = {
    table.name: table
    for table in (
        Table(
            "unit_scada",
            ("settlement_date", "duid"),
            {
                "settlement_date": "TIMESTAMP",
                "duid": "VARCHAR",
                "scada_mw": "DOUBLE",
                "mean_mw": "DOUBLE",
                "is_provisional": "BOOLEAN",
                **_STANDING,
            },
            derived=("mean_mw", "is_provisional"),
            reaches=INTERVAL,  # the mean over an interval needs the next reading
        ),
        Table(
            "regional_price",
            ("settlement_date", "region_id"),
            {
                "settlement_date": "TIMESTAMP",
                "region_id": "VARCHAR",
                "rrp": "DOUBLE",
                "settlement_rrp": "DOUBLE",
                "price_status": "VARCHAR",
                "mii_status": "VARCHAR",
                "ocd_status": "VARCHAR",
                "apc_flag": "INTEGER",
                **_STANDING,
            },
            derived=("settlement_rrp",),
        ),
        Table(
            "regional_demand",
            ("settlement_date", "region_id"),
            {
                "settlement_date": "TIMESTAMP",
                "region_id": "VARCHAR",
                "demand_mw": "DOUBLE",
                "demand_operational_mw": "DOUBLE",
                "net_interchange_mw": "DOUBLE",
                "solar_uigf_mw": "DOUBLE",
                "solar_cleared_mw": "DOUBLE",
                "wind_uigf_mw": "DOUBLE",
                "wind_cleared_mw": "DOUBLE",
                **_STANDING,
            },
        ),
        Table(
            "interconnector_flow",
            ("settlement_date", "interconnector_id"),
            {
                "settlement_date": "TIMESTAMP",
                "interconnector_id": "VARCHAR",
                "metered_flow_mw": "DOUBLE",  # a reading at the interval's start; positive is first-named to second
                "target_flow_mw": "DOUBLE",  # what dispatch aims at for its end
                "export_limit_mw": "DOUBLE",
                "import_limit_mw": "DOUBLE",  # negative
                "losses_mw": "DOUBLE",
                "mean_mw": "DOUBLE",  # of the metered flow
                "is_provisional": "BOOLEAN",
                **_STANDING,
            },
            derived=("mean_mw", "is_provisional"),
            reaches=INTERVAL,
        ),
        Table(
            "rooftop_pv",
            ("settlement_date", "region_id"),
            {
                "settlement_date": "TIMESTAMP",
                "region_id": "VARCHAR",
                "rooftop_mw": "DOUBLE",
                "mean_mw": "DOUBLE",
                "is_provisional": "BOOLEAN",
                **_STANDING,
            },
            derived=("mean_mw", "is_provisional"),
            step=HALF_HOUR,
            reaches=HALF_HOUR,  # five-minute power is drawn between two half-hour points
        ),
    )
}

UNITS = {
    "duid": "VARCHAR",
    "station_name": "VARCHAR",
    "region_id": "VARCHAR",
    "fueltech_id": "VARCHAR",
    "dispatch_type": "VARCHAR",
    "capacity_registered_mw": "DOUBLE",
    "capacity_maximum_mw": "DOUBLE",
    "storage_mwh": "DOUBLE",
    "emission_factor_t_mwh": "DOUBLE",
    "effective_date": "TIMESTAMP",
    "end_date": "TIMESTAMP",
}
DISPATCH_TYPES = ("GENERATOR", "LOAD", "BIDIRECTIONAL")
FOREVER = "2999-12-31"  # how AEMO writes an open end; past pandas' ns range, so never hand it to pandas as ns
