"""How this installation is doing, gathered from its files alone: no flow need be running."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cli.installation import lags

if TYPE_CHECKING:
    import pyarrow as pa

    from cache_store import Store
    from cache_store.usage import Tally
    from dashboard.health import Day, Health
    from nem import Source
    from nem.windows import Resolution, Window

DAY = timedelta(days=1)
_REVISED = """
    SELECT count(*) FROM regional_price
    WHERE last_changed > $midnight AND last_changed > settlement_date + INTERVAL 30 MINUTE
"""


def look(store: Store, source: Source, now: datetime) -> Health:
    """The health of store and source at ``now`` (UTC); a day that cannot be answered is left out.

    Raises:
        StoreUnavailableError, SourceUnavailableError: the manifest or the source cannot be read.
    """
    from cache_store.status import overview
    from dashboard.health import Feed, Health
    from nem.taken import last_ingest

    held = overview(store, now=now)  # first: asking for the day may have gaps materialised
    return Health(
        now=now,
        feeds=[Feed(table, *behind) for table, behind in lags(source, now).items()],
        day=_day(store, source, now),
        store=held,
        use=_use(store),
        notes=source.notes(),
        taken=last_ingest(source.root),
    )


def _day(store: Store, source: Source, now: datetime) -> Day | None:
    from cache_store.errors import NoAnswerError
    from dashboard.health import Day
    from nem.windows import Window

    try:
        held = _extent(store, source)
        window = Window(max(held.start, held.end - DAY), held.end)
        names = ("generation_by_fuel", "capacity_factor", "regional_price")
        fuels, units, prices = (_half_hours(store, source, name, window, now) for name in names)
    except NoAnswerError:
        return None
    readings, missing = _total(fuels, "reading_count"), _total(fuels, "missing_count")
    return Day(
        window=window,
        readings=None if readings is None or missing is None else readings + missing,
        missing=missing,
        provisional=_total(fuels, "provisional_count"),
        unknown=None if units is None else _unknown(units),
        unconfirmed=_total(prices, "provisional_count"),
        revised=_revised(source, now),
    )


def _extent(store: Store, source: Source) -> Window:
    """What is held of generation; of prices where nothing is."""
    from cache_store import extent
    from cache_store.errors import NothingHeldError

    try:
        return extent(store, source, "generation_by_fuel")
    except NothingHeldError:
        return extent(store, source, "regional_price")


def _half_hours(store: Store, source: Source, query: str, window: Window, now: datetime) -> pa.Table | None:
    """None where nothing of the window is held: prices may lag by days, and the rest is told all the same."""
    from cache_store import fetch
    from cache_store.errors import NothingHeldError

    try:
        return fetch(store, source, query, window, now=now, resolution="30min").table
    except NothingHeldError:
        return None


def _total(table: pa.Table | None, count: str) -> int | None:
    return None if table is None else sum(table[count].to_pylist())


def _unknown(units: pa.Table) -> tuple[str, ...]:
    """The DUIDs that no registry has."""
    facts = zip(units["duid"].to_pylist(), units["fueltech_id"].to_pylist(), strict=True)
    return tuple(sorted({duid for duid, fuel in facts if fuel == "unknown"}))


def _revised(source: Source, now: datetime) -> int:
    """How many 5-minute prices AEMO has changed since NEM midnight; those that were merely late are not among them."""
    import duckdb

    from cache_store.freshness import SETTLES_AFTER
    from nem.errors import SourceUnavailableError
    from nem.windows import Window, floor, market_time

    midnight = floor(market_time(now), "1d")
    with duckdb.connect() as con:
        try:
            source.attach(con, ("regional_price",), Window(midnight - SETTLES_AFTER, midnight + DAY))
        except SourceUnavailableError:
            return 0
        row = con.execute(_REVISED, {"midnight": midnight}).fetchone()
    return int(row[0]) if row else 0


def _use(store: Store) -> dict[tuple[str, Resolution], Tally]:
    from cache_store.usage import Tally, read_usage

    use: dict[tuple[str, Resolution], Tally] = {}
    for shape, tally in read_usage(store.root).items():
        key = shape.query, shape.resolution
        use[key] = use.get(key, Tally()) + tally
    return use
