"""A request in canonical form: checked, and equal to whatever asks the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Literal, get_args

from cache_store.catalogue import Query, find_query
from cache_store.errors import RequestError
from nem.fuels import FUELS
from nem.regions import NEM, REGIONS, UNKNOWN_REGION
from nem.windows import RESOLUTIONS, Resolution, Window, choose_resolution

Filters = Mapping[str, Sequence[str]]
MAX_STALENESS = timedelta(days=36_500)
Choice = Literal["auto", "cache", "live"]
CHOICES: tuple[Choice, ...] = get_args(Choice)


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request in canonical form: equal requests are equal, and hash alike."""

    query: Query
    window: Window
    resolution: Resolution
    filters: tuple[tuple[str, tuple[str, ...]], ...]
    sum_regions: bool
    origin: Choice
    max_staleness: timedelta | None
    measures: tuple[str, ...] = ()  # none: all


def check_request(
    query: str,
    window: Window,
    filters: Filters | None,
    resolution: str,
    origin: str,
    max_staleness: timedelta | None,
    measures: Sequence[str] | None = None,
) -> Request:
    """The request in canonical form.

    Raises:
        UnknownQueryError: no such query.
        RequestError: a resolution, region, fuel, filter, origin or measure there is not.
    """
    wanted = tuple((key, _values(key, values)) for key, values in filters.items()) if filters else ()
    chosen = _values("measures", measures, doing="choose") if measures else ()
    return _checked(query, window, wanted, resolution, origin, max_staleness, chosen)


@lru_cache(1024)  # what is asked again needs no checking: a third of what an answer from memory takes
def _checked(
    query: str,
    window: Window,
    filters: tuple[tuple[str, tuple[str, ...]], ...],
    resolution: str,
    origin: str,
    max_staleness: timedelta | None,
    measures: tuple[str, ...],
) -> Request:
    declared = find_query(query)
    known_measures = (*declared.measures, *declared.ratios)
    if stray := [name for name in measures if name not in known_measures]:
        raise RequestError(f"{query} has no measure {', '.join(map(repr, stray))}; it has {', '.join(known_measures)}")
    if resolution != "auto" and resolution not in RESOLUTIONS:
        raise RequestError(f"there is no resolution {resolution!r}; there are auto, {', '.join(RESOLUTIONS)}")
    if origin not in CHOICES:
        raise RequestError(f"there is no origin {origin!r}; there are {', '.join(CHOICES)}")
    if max_staleness is not None and not timedelta(0) <= max_staleness <= MAX_STALENESS:
        raise RequestError(
            f"max_staleness is 0 to {MAX_STALENESS.days} days, not {max_staleness}; leave it out for any"
        )
    chosen = next((known for known in RESOLUTIONS if known == resolution), None) or choose_resolution(window)
    wanted = dict(filters)
    _check_filters(declared, wanted)
    sum_regions = wanted.get("region_id") == (NEM,)
    if sum_regions:
        del wanted["region_id"]
    return Request(
        declared,
        window,
        chosen,
        tuple(sorted(wanted.items())),
        sum_regions and declared.sums_regions,
        next(known for known in CHOICES if known == origin),
        max_staleness,
        measures,
    )


def _values(key: str, values: Sequence[str], doing: str = "filter") -> tuple[str, ...]:
    if isinstance(values, str) or not isinstance(values, Sequence) or not all(isinstance(one, str) for one in values):
        raise RequestError(f"{doing} {key} by a list of texts, not {values!r}")
    if not values:
        raise RequestError(f"{doing} {key} by one or more values; leave it out for all")
    # Ids of units and links are upper case wherever they land.
    is_id = key in {"duid", "interconnector_id"}
    return tuple(sorted({value.strip().upper() if is_id else value for value in values}))


def _check_filters(query: Query, filters: Mapping[str, tuple[str, ...]]) -> None:
    keys = query.filterable
    if stray := set(filters) - set(keys):
        raise RequestError(
            f"{query.name} cannot be filtered by {', '.join(sorted(stray))}; it can by {', '.join(keys)}"
        )
    # Generation splits a battery into what it charges and discharges; a unit is one battery.
    fuels = tuple(FUELS) if query.sums_regions else (*FUELS, "battery")
    known = {"region_id": (*REGIONS, UNKNOWN_REGION, NEM), "fueltech_id": fuels}
    for key, names in known.items():
        for value in filters.get(key, ()):
            if value not in names:
                raise RequestError(f"there is no {key} {value!r}; there are {', '.join(names)}")
    if NEM in filters.get("region_id", ()) and len(filters["region_id"]) > 1:
        raise RequestError(f"{NEM} is the sum of all regions: ask for it alone")
