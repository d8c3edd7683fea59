"""SQL made from declarations: reading and filtering rows, and merging finer ones into coarser buckets.

The only place that composes SQL text. Every name in it is a literal of ``catalogue``; every value is a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cache_store.catalogue import Query
from nem.regions import NEM
from nem.windows import Resolution

_BUCKET_END: dict[Resolution, str] = {
    # A label closes its interval, so its bucket ends at it or next after it. By time_bucket it takes five times as long.
    "5min": "settlement_date",
    "30min": "make_timestamp((epoch_us(settlement_date) + 1799999999) // 1800000000 * 1800000000)",
    "1h": "make_timestamp((epoch_us(settlement_date) + 3599999999) // 3600000000 * 3600000000)",
    "1d": "make_timestamp((epoch_us(settlement_date) + 86399999999) // 86400000000 * 86400000000)",
    "1M": "CAST(date_trunc('month', settlement_date - INTERVAL 5 MINUTE) + INTERVAL 1 MONTH AS TIMESTAMP)",
}
_MERGE = {None: "{}", "sum": "sum({})", "min": "min({})", "max": "max({})", "last": "arg_max({}, settlement_date)"}


def merged(query: Query, resolution: Resolution, rows: str, *, sum_regions: bool = False) -> str:
    """``rows`` (of grain ``resolution`` or finer) as one row per key and bucket, in the declared columns and types.

    With ``sum_regions`` the regions are added up as ``NEM``; columns that do not add across regions are null.
    """
    is_merged = resolution != "5min" or sum_regions  # else a row is its bucket's only one
    columns = {name: _MERGE[column.merge if is_merged else None].format(name) for name, column in query.columns.items()}
    columns["settlement_date"] = _BUCKET_END[resolution]
    if sum_regions:
        columns["region_id"] = f"'{NEM}'"
        columns |= {name: "NULL" for name, column in query.columns.items() if not column.across_regions}
    typed = ", ".join(f"CAST({made} AS {query.columns[name].type}) AS {name}" for name, made in columns.items())
    return f"SELECT {typed} FROM ({rows}){' GROUP BY ALL' if is_merged else ''}"  # noqa: S608


def ordered(query: Query, rows: str) -> str:
    """``rows`` in key order, as partitions are written and answers given."""
    return f"SELECT {', '.join(query.columns)} FROM ({rows}) ORDER BY {', '.join(query.keys)}"  # noqa: S608


def stored(piece: int, filters: Mapping[str, Sequence[str]], *, whole: bool) -> str:
    """The rows of the partitions ``$files_<piece>``; not ``whole``, with labels in ``($start_<piece>, $end_<piece>]``.

    Files hold the declared columns, in their order: naming them all is a tenth of the time of a short read.
    """
    within = "true" if whole else f"settlement_date > $start_{piece} AND settlement_date <= $end_{piece}"
    return f"FROM read_parquet($files_{piece}, hive_partitioning = false) WHERE {within}{_filtered(filters)}"


def relation(query: Query, name: str, filters: Mapping[str, Sequence[str]]) -> str:
    """The rows of a relation, named or in brackets."""
    return f"SELECT {', '.join(query.columns)} FROM {name} WHERE true{_filtered(filters)}"  # noqa: S608


def filter_parameters(filters: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The values for the placeholders that ``_filtered`` writes."""
    return {f"{key}_{i}": value for key, values in filters.items() for i, value in enumerate(values)}


def _filtered(filters: Mapping[str, Sequence[str]]) -> str:
    clauses = (
        f" AND {key} IN ({', '.join(f'${key}_{i}' for i in range(len(values)))})" for key, values in filters.items()
    )
    return "".join(clauses)
