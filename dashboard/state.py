"""A selection as the query part of the page's address, both ways.

An address is anybody's text: what it says is taken only where it is one of a few known words, a region, or a short
name; the rest is left out and named, so that a page opens on whatever it is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, get_args
from urllib.parse import parse_qsl, urlencode

from dashboard.contents import TAB_NAMES
from dashboard.data import RANGES, Grouping, Selection, Unit, parse_range
from nem.errors import WindowError
from nem.fuels import FUELS, GROUPS
from nem.regions import NEM, REGIONS
from nem.windows import RESOLUTIONS

MAX_LENGTH = 2_000  # of the whole query; every field at its longest takes a third of it
_MAX_FIELDS = 40
_MAX_NAME = 80

# A field of Selection: its key in the address.
KEYS = {
    "tab": "tab",
    "region": "region",
    "range": "range",
    "resolution": "res",
    "grouping": "group",
    "unit": "unit",
    "view": "view",
    "station": "station",
    "compare": "compare",
    "regions": "with",
    "fuel": "fuel",
}


def read_address(query: str) -> tuple[Selection, tuple[str, ...]]:
    """The selection that ``query`` means (a leading ``?`` may be there), and the keys of it that were not understood.

    Never raises: a key that is unknown, empty or out of bounds leaves its field at the default.
    """
    try:
        if len(query) > MAX_LENGTH:
            return Selection(), ("an address that long",)
        found = dict(parse_qsl(query.removeprefix("?"), max_num_fields=_MAX_FIELDS))
    except ValueError:  # too many fields
        return Selection(), ("an address with that many parts",)
    return read_fields({name: found[key] for name, key in KEYS.items() if key in found})


def read_fields(texts: Mapping[str, str]) -> tuple[Selection, tuple[str, ...]]:
    """A selection with every field whose text is understood, and the keys of the others."""
    values: dict[str, Any] = {}
    ignored = []
    for name, text in texts.items():
        try:
            values[name] = _READ[name](text)
        except ValueError:
            ignored.append(KEYS[name])
    return Selection(**values), tuple(ignored)


def write_address(selection: Selection) -> str:
    """The shortest query that ``read_address`` makes ``selection`` of; empty for the page as it first opens."""
    plain = Selection()
    pairs = []
    for one in fields(Selection):
        value = getattr(selection, one.name)
        if value != getattr(plain, one.name):
            pairs.append((KEYS[one.name], ",".join(value) if isinstance(value, tuple) else value))
    return f"?{urlencode(pairs, safe=',:')}" if pairs else ""


def _one_of(*known: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise ValueError(text)
        return text

    return read


def _word(text: str) -> str:
    """A name of a tab's own: letters, digits and underscores."""
    if not re.fullmatch(r"[a-z0-9_]{1,24}", text):
        raise ValueError(text)
    return text


def _name(text: str) -> str:
    """A station's name or a DUID: anything printable of a line's length, for it is only ever compared and escaped."""
    if not text.strip() or len(text) > _MAX_NAME or not text.isprintable():
        raise ValueError(text)
    return text


def _range(text: str) -> str:
    if text not in RANGES:
        _window(text)
    return text


def _compare(text: str) -> str:
    if text not in {"previous", "last_year"}:
        _window(text)
    return text


def _window(text: str) -> None:
    if len(text) > _MAX_NAME:
        raise WindowError("too long for a range")
    parse_range(text)


def _regions(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if len(set(names)) < len(names) or not set(names) <= {NEM, *REGIONS}:
        raise ValueError(text)
    return names


_READ: Mapping[str, Callable[[str], Any]] = {
    "tab": _one_of(*TAB_NAMES),
    "region": _one_of(NEM, *REGIONS),
    "range": _range,
    "resolution": _one_of("auto", *RESOLUTIONS),
    "grouping": _one_of(*get_args(Grouping)),
    "unit": _one_of(*get_args(Unit)),
    "view": _word,
    "station": _name,
    "compare": _compare,
    "regions": _regions,
    "fuel": _one_of(*FUELS, *GROUPS, "battery"),
}
