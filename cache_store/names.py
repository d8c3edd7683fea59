"""Whether anybody is called what a request asks for: a misspelt unit, station or link is a mistake, and no empty answer."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches

import pyarrow as pa
import pyarrow.compute as pc

from cache_store.errors import UnknownNameError
from cache_store.request import Request
from cache_store.stitch import place_at_source
from cache_store.store import Store
from nem.errors import NemError
from nem.source import Source

# Where a source has the names that are AEMO's to give, the likeliest first. Who reads and is not registered goes by its DUID.
_HELD_IN = {
    "duid": (("units", "duid"), ("unit_scada", "duid")),
    "station_name": (("units", "station_name"), ("unit_scada", "duid")),
    "interconnector_id": (("interconnector_flow", "interconnector_id"),),
}


def check_names(store: Store, source: Source, request: Request, table: pa.Table) -> None:
    """Refuse a name that no row of the answer has and the source has never heard of; one it has merely did nothing.

    Only a name without a row is looked up. Where the source is away, is full or may not be asked, nobody can tell.

    Raises:
        UnknownNameError: there is no such unit, station or link; the message says what comes near.
    """
    if request.origin == "cache":
        return
    for key, values in request.filters:
        if key in _HELD_IN and (missing := set(values) - set(pc.unique(table[key]).to_pylist())):
            with suppress(NemError):
                _refuse_unknown(store, source, request, key, missing)


def _refuse_unknown(store: Store, source: Source, request: Request, key: str, missing: set[str]) -> None:
    known: set[str] = set()
    for table, column in _HELD_IN[key]:
        with store.connection.cursor() as cursor, place_at_source(store, cursor, request.query, request.window):
            held = source.names(cursor, table, column)
        known, missing = known or held, missing - held
        if not missing:
            return
    near = ", ".join(dict.fromkeys(name for value in sorted(missing) for name in _near(value, known)))
    meant = f"; did you mean {near}? Leave" if near else ", nor one spelt like it; leave"
    names = ", ".join(map(repr, sorted(missing)))
    raise UnknownNameError(f"there is no {key} {names}{meant} {key} out to see all there are")


def _near(value: str, known: Iterable[str]) -> list[str]:
    """Up to three of ``known``: those that hold ``value``, else those spelt nearly so."""
    by_fold = {name.casefold(): name for name in sorted(known)}
    wanted = value.casefold()
    found = [fold for fold in by_fold if wanted in fold][:3] or get_close_matches(wanted, by_fold)
    return [by_fold[fold] for fold in found]
