"""A folder's own table of units as the lake's registry, and what tells that a registry has changed."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from nem.errors import SourceFormatError
from nem.layouts.rows import File, csv_rows, reading
from nem.registry import bundled_registry
from nem.tables import FOREVER
from nem.windows import EPOCH, day_window

# The older updater's labels, each with the fuels it lumps together; the first is meant where nothing is known of a unit.
LABELS = {
    "COAL": ("coal_black", "coal_brown"),
    "CCGT": ("gas_ccgt",),
    "OCGT": ("gas_ocgt",),
    "GAS OTHER": ("gas_steam", "gas_recip", "gas_wcmg"),
    "SOLAR": ("solar_utility",),
    "WIND": ("wind",),
    "WATER": ("hydro", "pumps"),
    "BATTERY STORAGE": ("battery", "battery_discharging", "battery_charging"),
    "BIOMASS": ("bioenergy_biomass", "bioenergy_biogas"),
    "OTHER": (None, "distillate", "bioenergy_biomass", "bioenergy_biogas", "gas_wcmg", "gas_recip"),
}
NO_UNITS = ("ROOFTOP", "ROOFTOP SOLAR", "TRANSMISSION FLOW")
_COLUMNS = ("REGION", "SITE NAME", "DUID", "CAPACITY(MW)", "STORAGE(MWH)", "FUEL")


@dataclass(frozen=True, eq=False)
class Registry:
    """Units in the columns of ``nem.tables.UNITS``; their dates are midnights."""

    table: pa.Table
    _versions: dict[int, str] = field(default_factory=dict)

    def version(self, day: date) -> str:
        """A digest of the rows in force on ``day``: a change to others leaves it as it is."""
        at = day_window(day).start
        stretch = bisect_right(self._edges, at)  # most days are alike, and a digest takes milliseconds
        if stretch not in self._versions:
            in_force = [row for row in self.rows if row["effective_date"] <= at < row["end_date"]]
            self._versions[stretch] = hashlib.sha256(repr(in_force).encode()).hexdigest()[:12]
        return self._versions[stretch]

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """A unit's stretch of days each."""
        return list(self.table.to_pylist())

    @cached_property
    def _edges(self) -> list[datetime]:
        return sorted({row[edge] for row in self.rows for edge in ("effective_date", "end_date")})


@lru_cache(maxsize=4)
def registry_of(file: File | None) -> Registry:
    """The units of a ``gen_info`` file, or the bundled ones. The file has no dates: its units are in force for all time.

    Capacity, station and region are the file's. Its labels lump fuels together: which of a label's is a unit's, and
    whether it generates or draws, is the bundled registry's word where that knows the unit.

    Raises:
        SourceUnavailableError: the file cannot be read.
        SourceFormatError: it lacks a column.
    """
    if file is None:
        return Registry(bundled_registry())
    with reading(file), duckdb.connect() as con:
        given = csv_rows(file) if file.is_csv else pq.read_table(file.path)
        names = [name.strip().upper() for name in given.column_names]
        if missing := [name for name in _COLUMNS if name not in names]:
            raise SourceFormatError(f"{file.path.name} has no column {', '.join(missing)}; it has {', '.join(names)}")
        if twice := [name for name in _COLUMNS if names.count(name) > 1]:
            raise SourceFormatError(f"{file.path.name} names {', '.join(twice)} twice")
        con.register("curated", bundled_registry())
        labels = [(label, fuel, rank) for label, fuels in LABELS.items() for rank, fuel in enumerate(fuels)]
        con.execute("CREATE TEMP TABLE label (label VARCHAR, fueltech_id VARCHAR, rank INTEGER)")
        con.executemany("INSERT INTO label VALUES ($1, $2, $3)", labels)
        con.register("given", given.select([names.index(name) for name in _COLUMNS]).rename_columns(list(_COLUMNS)))
        return Registry(
            con.sql(_UNITS, params={"epoch": EPOCH, "forever": FOREVER, "none": list(NO_UNITS)}).to_arrow_table()
        )


_UNITS = """
    WITH unit AS (
        SELECT
            upper(trim("DUID", E' \\t\\r\\n')) AS duid,
            trim("SITE NAME") AS station_name,
            coalesce(nullif(upper(trim("REGION")), ''), 'unknown') AS region_id,
            upper(trim("FUEL")) AS label,
            TRY_CAST(CAST("CAPACITY(MW)" AS VARCHAR) AS DOUBLE) AS capacity_mw, -- AEMO's lists hold '-' and ranges: then it is unknown
            TRY_CAST(CAST("STORAGE(MWH)" AS VARCHAR) AS DOUBLE) AS storage_mwh
        FROM (SELECT *, row_number() OVER () AS line FROM given)
        WHERE duid NOT IN ('', '-') AND label NOT IN (SELECT unnest($none))
        QUALIFY row_number() OVER (PARTITION BY duid ORDER BY line) = 1
    ),
    known AS (
        SELECT duid, fueltech_id, dispatch_type, emission_factor_t_mwh
        FROM curated
        QUALIFY row_number() OVER (PARTITION BY duid ORDER BY effective_date DESC) = 1
    )
    SELECT
        unit.duid,
        station_name,
        region_id,
        CASE
            WHEN fitting.label IS NOT NULL THEN known.fueltech_id
            WHEN unit.label = 'COAL' AND region_id IN ('VIC1', 'SA1') THEN 'coal_brown'
            ELSE usual.fueltech_id
        END AS fueltech_id,
        CASE
            WHEN fitting.label IS NOT NULL THEN known.dispatch_type
            WHEN unit.label = 'BATTERY STORAGE' THEN 'BIDIRECTIONAL'
            ELSE 'GENERATOR'
        END AS dispatch_type,
        CASE WHEN isfinite(capacity_mw) THEN capacity_mw END AS capacity_registered_mw,
        CAST(NULL AS DOUBLE) AS capacity_maximum_mw,
        CASE WHEN isfinite(storage_mwh) THEN nullif(storage_mwh, 0) END AS storage_mwh,
        emission_factor_t_mwh,
        CAST($epoch AS TIMESTAMP) AS effective_date,
        CAST($forever AS TIMESTAMP) AS end_date
    FROM unit
    LEFT JOIN known ON known.duid = unit.duid
    LEFT JOIN label AS fitting ON fitting.label = unit.label AND fitting.fueltech_id = known.fueltech_id
    LEFT JOIN label AS usual ON usual.label = unit.label AND usual.rank = 0
    ORDER BY unit.duid
"""
