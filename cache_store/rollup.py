"""SQL made from declarations: merging finer rows into coarser buckets, and deriving ratios.

The only place that composes SQL text. Every name in it is a literal of ``catalogue``; every value is a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cache_store.catalogue import Query
from nem.fuels import LOADS
from nem.regions import NEM
from nem.windows import Resolution

_BUCKET_END: dict[Resolution, str] = {
    # A label closes its interval, so its bucket is that of the interval's start, five minutes before.
    "5min": "settlement_date",
    "30min": "time_bucket(INTERVAL 30 MINUTE, settlement_date - INTERVAL 5 MINUTE) + INTERVAL 30 MINUTE",
    "1h": "time_bucket(INTERVAL 1 HOUR, settlement_date - INTERVAL 5 MINUTE) + INTERVAL 1 HOUR",
    "1d": "time_bucket(INTERVAL 1 DAY, settlement_date - INTERVAL 5 MINUTE) + INTERVAL 1 DAY",
    "1M": "CAST(date_trunc('month', settlement_date - INTERVAL 5 MINUTE) + INTERVAL 1 MONTH AS TIMESTAMP)",
}


_LOADS = ", ".join(f"'{load}'" for load in LOADS)
_SUPPLY = (
    "LEFT JOIN (SELECT settlement_date, region_id, nullif(sum(energy_mwh), 0) AS supply_mwh FROM stored_row "  # noqa: S608
    f"WHERE energy_mwh > 0 AND fueltech_id NOT IN ({_LOADS}) GROUP BY ALL) AS supply "
    "ON supply.settlement_date = stored_row.settlement_date AND supply.region_id = stored_row.region_id "
    f"AND fueltech_id NOT IN ({_LOADS})"
)
_MERGE = {None: "{}", "sum": "sum({})", "min": "min({})", "max": "max({})", "last": "arg_max({}, settlement_date)"}


def merged(query: Query, resolution: Resolution, rows: str, *, sum_regions: bool = False) -> str:
    """``rows`` (of grain ``resolution`` or finer) as one row per key and bucket, in the declared columns and types.

    With ``sum_regions`` the regions are added up as ``NEM``; columns that do not add across regions are null.
    """
    columns = {name: _MERGE[column.merge].format(name) for name, column in query.columns.items()}
    columns["settlement_date"] = _BUCKET_END[resolution]
    if sum_regions:
        columns["region_id"] = f"'{NEM}'"
        columns |= {name: "NULL" for name, column in query.columns.items() if not column.across_regions}
    typed = ", ".join(f"CAST({made} AS {query.columns[name].type}) AS {name}" for name, made in columns.items())
    return f"SELECT {typed} FROM ({rows}) GROUP BY ALL"  # noqa: S608


def ordered(query: Query, rows: str) -> str:
    """``rows`` in key order, as partitions are written and answers given."""
    return f"SELECT {', '.join(query.columns)} FROM ({rows}) ORDER BY {', '.join(query.keys)}"  # noqa: S608


def stored(query: Query, piece: int, filters: Mapping[str, Sequence[str]]) -> str:
    """The rows of the partitions ``$files_<piece>`` with labels in ``($start_<piece>, $end_<piece>]``."""
    return (
        f"SELECT {', '.join(query.columns)} FROM read_parquet($files_{piece}, hive_partitioning = false) "  # noqa: S608
        f"WHERE settlement_date > $start_{piece} AND settlement_date <= $end_{piece}{_filtered(filters)}"
    )


def relation(query: Query, name: str, filters: Mapping[str, Sequence[str]]) -> str:
    """The rows of a relation, named or in brackets."""
    return f"SELECT {', '.join(query.columns)} FROM {name} WHERE true{_filtered(filters)}"  # noqa: S608


def derived(query: Query, rows: str, filters: Mapping[str, Sequence[str]]) -> str:
    """``rows`` with ratios, ``complete`` and interval edges, by key; ``bucket`` says what each bucket holds.

    ``filters`` here are those that must not change what a ratio is taken of: a share is of the whole supply.
    """
    keys = [f"stored_row.{key}" for key in query.keys]
    columns = [
        "interval_start",
        f"{keys[0]} AS interval_end",
        "held_seconds = date_diff('second', interval_start, interval_end) AS complete",
        *keys[1:],
        *query.measures,
        *(f"CAST({ratio.expression} AS DOUBLE) AS {name}" for name, ratio in query.ratios.items()),
    ]
    needs_supply = any("supply_mwh" in ratio.expression for ratio in query.ratios.values())
    return (
        f"WITH stored_row AS ({rows}) SELECT {', '.join(columns)} FROM stored_row "  # noqa: S608
        "JOIN (SELECT *, held_seconds / 3600 AS hours FROM bucket) AS bucket "
        f"ON bucket.settlement_date = stored_row.settlement_date {_SUPPLY if needs_supply else ''} "
        f"WHERE true{_filtered(filters)} ORDER BY {', '.join(keys)}"
    )


def filter_parameters(filters: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The values for the placeholders that ``_filtered`` writes."""
    return {f"{key}_{i}": value for key, values in filters.items() for i, value in enumerate(values)}


def _filtered(filters: Mapping[str, Sequence[str]]) -> str:
    clauses = (
        f" AND {key} IN ({', '.join(f'${key}_{i}' for i in range(len(values)))})" for key, values in filters.items()
    )
    return "".join(clauses)
