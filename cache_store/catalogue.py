"""The questions worth warming, each declared once: flows, reader and live fallback derive everything from here.

A query's leaf rows, at five minutes, come from ``sql/<name>.sql``. It must be partition-separable: its rows over
``(a, c]`` are those over ``(a, b]`` and ``(b, c]``. So measures are additive (or extremes), and ratios are derived on
read from the sums of their halves, never averaged.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from importlib.resources import files
from typing import Literal

from cache_store.errors import UnknownQueryError
from cache_store.freshness import KEEP
from nem.windows import Resolution

STOOD_IN = "demand_operational_count"
SCHEMA_VERSION = 1  # of the partition files; part of every fingerprint


@dataclass(frozen=True, slots=True)
class Column:
    """A stored column.

    ``merge`` joins rows of finer grain: None for a key, ``last`` for a fact that may change; ``across_regions`` is
    whether it also joins the regions' rows into one for NEM.
    """

    unit: str
    about: str
    merge: Literal["sum", "min", "max", "last"] | None = None
    type: str = "DOUBLE"
    across_regions: bool = True


@dataclass(frozen=True, slots=True)
class Ratio:
    """A column derived on read, by an expression over merged measures and what ``derive`` knows of the bucket.

    That is its ``hours`` and 5-minute ``intervals`` held, and the ``supply_mwh`` of its region. A quotient is null
    where its denominator is not positive.
    """

    unit: str
    about: str
    expression: str


@dataclass(frozen=True, eq=False)
class Query:
    """One question. ``sources[0]`` paces it: what that table has landed is what can be answered."""

    name: str
    about: str
    sources: tuple[str, ...]
    columns: Mapping[str, Column]
    ratios: Mapping[str, Ratio]
    grains: tuple[Resolution, ...] = ("5min", "30min", "1d")  # stored, finest first
    sums_regions: bool = True  # whether NEM adds its regions up; else NEM means every row, unsummed

    @property
    def keys(self) -> tuple[str, ...]:
        """Key columns, ``settlement_date`` first: the order of stored rows."""
        return tuple(name for name, column in self.columns.items() if column.merge is None)

    @property
    def filterable(self) -> tuple[str, ...]:
        """Columns a request may filter by: keys and facts."""
        return tuple(name for name, column in self.columns.items() if column.type == "VARCHAR")

    @property
    def measures(self) -> tuple[str, ...]:
        """Stored columns that merge, facts included."""
        return tuple(name for name, column in self.columns.items() if column.merge is not None)

    def narrowed(self, names: tuple[str, ...]) -> Query:
        """Its keys and facts and these measures and ratios alone, with what those are made of; all of it without names.

        Of demand also what says where another demand stood in, which receipts tell.
        """
        if not names:
            return self
        ratios = {name: ratio for name, ratio in self.ratios.items() if name in names}
        wanted = {*names, *(part for one in ratios.values() for part in re.findall(r"[a-z]\w*", one.expression))}
        if any("demand" in name for name in wanted):
            wanted.add(STOOD_IN)
        wanted.update(self.keys, self.filterable)
        columns = {name: one for name, one in self.columns.items() if name in wanted}
        return replace(self, columns=columns, ratios=ratios)

    def keeps(self, grain: Resolution, age: timedelta) -> bool:
        """Whether a partition of ``grain`` that ends ``age`` before the newest data stays, however small the quota."""
        return grain == self.grains[-1] or age < KEEP[grain]

    @cached_property
    def sql(self) -> str:
        """Leaf rows for ``$start``, ``$end``, ``$interval_hours``."""
        return (files("cache_store") / "sql" / f"{self.name}.sql").read_text()

    @cached_property
    def fingerprint(self) -> str:
        """A digest of what defines the stored rows; comments and white space do not."""
        sql = " ".join(re.sub(r"--[^\n]*", "", self.sql).split())
        schema = [(name, column.type, column.merge) for name, column in self.columns.items()]
        return hashlib.sha256(repr((SCHEMA_VERSION, sql, schema, self.sources)).encode()).hexdigest()[:12]


def _key(about: str) -> Column:
    return Column("", about, type="VARCHAR")


def _fact(about: str) -> Column:
    return Column("", about, "last", type="VARCHAR")


def _count(about: str, *, across_regions: bool = True) -> Column:
    return Column("intervals", about, "sum", type="BIGINT", across_regions=across_regions)


_LABEL = Column("NEM time", "end of the interval", type="TIMESTAMP")
_REGION = _key("region of the market, or NEM for their sum")
_BANDS = {"below_0": "< 0", "0_300": "0 to < 300", "300_1000": "300 to < 1,000", "1000_up": ">= 1,000"}

GENERATION_BY_FUEL = Query(
    name="generation_by_fuel",
    about="what generated, by region and fuel technology",
    sources=("unit_scada", "units", "regional_price", "rooftop_pv"),
    columns={
        "settlement_date": _LABEL,
        "region_id": _REGION,
        "fueltech_id": _key("fuel technology"),
        "energy_mwh": Column("MWh", "mean power x hours; charging and pumping are positive too", "sum"),
        "priced_energy_mwh": Column("MWh", "the positive output that has a price", "sum"),
        "negative_price_energy_mwh": Column("MWh", "of that, what settles below 0", "sum"),
        "market_value_aud": Column("$", "energy x the price it settles at; no loss factors, FCAS or hedges", "sum"),
        "reading_count": _count("unit readings behind the row"),
        "provisional_count": _count("of these, waiting for the next reading"),
        "missing_count": _count("registered units without a reading"),
    },
    ratios={
        "mean_mw": Ratio("MW", "mean power", "energy_mwh / hours"),
        "share": Ratio("0-1", "energy over the positive supply of its region and bucket", "energy_mwh / supply_mwh"),
        "dwa_price": Ratio(
            "$/MWh", "dispatch-weighted price: market value over priced energy", "market_value_aud / priced_energy_mwh"
        ),
        "negative_price_share": Ratio(
            "0-1", "share of the priced energy that settles below 0", "negative_price_energy_mwh / priced_energy_mwh"
        ),
    },
)

REGIONAL_PRICE = Query(
    name="regional_price",
    about="prices and demand, by region",
    sources=("regional_price", "regional_demand"),
    columns={
        "settlement_date": _LABEL,
        "region_id": _REGION,
        "rrp_sum": Column("$/MWh", "sum of 5-minute prices", "sum", across_regions=False),
        "interval_count": _count("5-minute prices summed", across_regions=False),
        "provisional_count": _count("of these, still under review or not firm", across_regions=False),
        "rrp_min": Column("$/MWh", "lowest 5-minute price", "min", across_regions=False),
        "rrp_max": Column("$/MWh", "highest 5-minute price", "max", across_regions=False),
        "demand_mwh": Column("MWh", "TOTALDEMAND, else DEMAND_AND_NONSCHEDGEN", "sum"),
        "priced_demand_mwh": Column("MWh", "the demand that has a price", "sum"),
        "demand_value_aud": Column("$", "price x demand", "sum"),
        STOOD_IN: _count("labels where DEMAND_AND_NONSCHEDGEN stood in"),
        **{f"band_{band}_count": _count(f"prices {words}", across_regions=False) for band, words in _BANDS.items()},
        **{
            f"band_{band}_rrp_sum": Column("$/MWh", "sum of the prices in that band", "sum", across_regions=False)
            for band in _BANDS
        },
        "cap_payout_aud_per_mw": Column("$/MW", "sum of max(price - 300, 0) x hours", "sum", across_regions=False),
        "import_mwh": Column("MWh", "net interchange into the region", "sum", across_regions=False),
        "export_mwh": Column("MWh", "net interchange out of the region", "sum", across_regions=False),
    },
    ratios={
        "demand_mw": Ratio("MW", "mean demand", "demand_mwh / hours"),
        "twa_price": Ratio("$/MWh", "time-weighted price", "rrp_sum / interval_count"),
        "demand_weighted_price": Ratio(
            "$/MWh", "demand value over priced demand", "demand_value_aud / priced_demand_mwh"
        ),
        "negative_count": Ratio("intervals", "prices below 0", "band_below_0_count"),
        "negative_share": Ratio("0-1", "share of prices below 0", "band_below_0_count / interval_count"),
    },
)

CAPACITY_FACTOR = Query(
    name="capacity_factor",
    about="how hard each unit ran",
    sources=("unit_scada", "units", "regional_price"),
    columns={
        "settlement_date": _LABEL,
        "duid": _key("dispatchable unit"),
        "station_name": _fact("its station, as last registered in the bucket"),
        "region_id": _fact("its region, likewise"),
        "fueltech_id": _fact("its fuel technology, likewise"),
        "energy_mwh": Column("MWh", "generated or discharged", "sum"),
        "rated_energy_mwh": Column("MWh", "of it, what was generated while the capacity is known", "sum"),
        "priced_energy_mwh": Column("MWh", "the output that has a price", "sum"),
        "potential_mwh": Column("MWh", "capacity x hours registered, reported or not; null if unknown", "sum"),
        "charge_mwh": Column("MWh", "drawn to charge or pump", "sum"),
        "priced_charge_mwh": Column("MWh", "of it, what has a price", "sum"),
        "market_value_aud": Column("$", "energy x the price it settles at", "sum"),
        "charge_value_aud": Column("$", "cost of what was drawn", "sum"),
        "running_count": _count("5-minute intervals generating"),
        "missing_count": _count("5-minute intervals without a reading"),
        "max_mw": Column("MW", "highest 5-minute mean power", "max"),
        "storage_mwh": Column("MWh", "what it can hold, as registered; the largest in the bucket", "max"),
    },
    ratios={
        "mean_mw": Ratio("MW", "mean power generated", "energy_mwh / hours"),
        "capacity_factor": Ratio(
            "0-1", "rated energy over potential; above 1 is shown, not clipped", "rated_energy_mwh / potential_mwh"
        ),
        "dwa_price": GENERATION_BY_FUEL.ratios["dwa_price"],
    },
    # At five minutes it would be 92 % of all bytes for no gain: one unit over 7 days reads as fast live.
    grains=("30min", "1d"),
    sums_regions=False,
)

INTERCONNECTOR_FLOW = Query(
    name="interconnector_flow",
    about="what flowed between regions, and how near its limits",
    sources=("interconnector_flow",),
    # Not import and export: those are a region's. Forward is from the first-named region to the second.
    columns={
        "settlement_date": _LABEL,
        "interconnector_id": _key(
            "interconnector, whatever AEMO names; forward is from its first region to its second"
        ),
        "forward_mwh": Column("MWh", "metered flow from the first-named region to the second", "sum"),
        "reverse_mwh": Column("MWh", "metered flow from the second-named region to the first, positive too", "sum"),
        "rated_forward_mwh": Column("MWh", "of the forward flow, what the limit is known for", "sum"),
        "rated_reverse_mwh": Column("MWh", "likewise in reverse", "sum"),
        "forward_limit_mwh": Column(
            "MWh", "what the export limit let flow while the flow is known, never below 0", "sum"
        ),
        "reverse_limit_mwh": Column("MWh", "what the import limit let flow, likewise", "sum"),
        "losses_mwh": Column("MWh", "losses that dispatch reckons with", "sum"),
        "at_forward_limit_count": _count("labels whose target is within 0.01 MW of the export limit, or past it"),
        "at_reverse_limit_count": _count("the same of the import limit"),
        "at_both_limits_count": _count("of these, both at once: the link could only do as it did"),
        "limit_count": _count("labels whose target and both limits are known"),
        "min_mw": Column("MW", "lowest 5-minute mean flow, forward positive", "min"),
        "max_mw": Column("MW", "highest 5-minute mean flow, forward positive", "max"),
        "reading_count": _count("labels with a metered flow"),
        "provisional_count": _count("of these, waiting for the next reading"),
    },
    ratios={
        "mean_mw": Ratio(
            "MW",
            "mean flow over the labels that have one, forward positive",
            "(forward_mwh - reverse_mwh) * 12 / reading_count",
        ),
        "forward_utilisation": Ratio(
            "0-1",
            "rated energy forward over its limit; above 1 is shown, not clipped",
            "rated_forward_mwh / forward_limit_mwh",
        ),
        "reverse_utilisation": Ratio("0-1", "the same in reverse", "rated_reverse_mwh / reverse_limit_mwh"),
        "at_limit_share": Ratio(
            "0-1",
            "share of labels at a limit, either way",
            "(at_forward_limit_count + at_reverse_limit_count - at_both_limits_count) / limit_count",
        ),
        "missing_count": Ratio("intervals", "labels without a metered flow", "intervals - reading_count"),
    },
    sums_regions=False,
)

CATALOGUE = {query.name: query for query in (GENERATION_BY_FUEL, REGIONAL_PRICE, CAPACITY_FACTOR, INTERCONNECTOR_FLOW)}
# What any of them can be filtered by, and how the console spells it: --region for region_id.
FILTERS = {
    column: f"--{column.removesuffix('_id').removesuffix('_name')}"
    for query in CATALOGUE.values()
    for column in query.filterable
}


def find_query(name: str) -> Query:
    """The query called ``name``.

    Raises:
        UnknownQueryError: there is none; the message lists those there are.
    """
    try:
        return CATALOGUE[name]
    except KeyError:
        raise UnknownQueryError(f"there is no query {name!r}; there are {', '.join(CATALOGUE)}") from None
