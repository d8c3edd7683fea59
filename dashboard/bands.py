"""What a stack's bands are in each grouping: which fuels they add up, what they are called, and their colour.

A band's fuels are of one side of zero. Bands stand in stack order, bottom to top, that of their first fuel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dashboard.data import Grouping
from dashboard.palette import EDGES
from nem.fuels import FUELS, GROUPS, Fuel, Kind


@dataclass(frozen=True, slots=True)
class Band:
    """One band of a stack. ``kind`` is as of a fuel; ``edge`` an outline where the colour alone would vanish."""

    id: str
    label: str
    colour: str
    kind: Kind
    edge: str | None = None

    @property
    def below_zero(self) -> bool:
        """Drawn downwards: what a region drew, or gave away."""
        return self.kind == "load" or self.id == "exports"

    @property
    def supplies(self) -> bool:
        """Part of the region's own supply, which shares are of."""
        return self.kind in {"generation", "storage"}


_STORAGE_LOADS = Band("loads", "Charging and pumping", "#88AFD0", "load")
_OF_RENEWABLE = {
    "load": _STORAGE_LOADS,
    "storage": Band("storage", "Storage discharging", "#3245C9", "storage"),
    "renewable": Band("renewables", "Renewable", "#52A972", "generation"),
    "fossil": Band("fossil", "Fossil", "#594929", "generation", EDGES["coal_black"]),
}
_SOURCES = Band("sources", "Sources", "#4F7F99", "generation")


def _detailed(fuel: Fuel) -> Band:
    return Band(fuel.id, fuel.label, fuel.colour, fuel.kind, EDGES.get(fuel.id))


def _simplified(fuel: Fuel) -> Band:
    return Band(fuel.group, *GROUPS[fuel.group], fuel.kind, EDGES["coal_black"] if fuel.group == "coal" else None)


def _renewable(fuel: Fuel) -> Band:
    if fuel.kind == "generation" and fuel.id != "unknown":
        return _OF_RENEWABLE["renewable" if fuel.renewable else "fossil"]
    return _OF_RENEWABLE.get(fuel.kind) or _detailed(fuel)


def _sources(fuel: Fuel) -> Band:
    return {"load": _STORAGE_LOADS, "exchange": _detailed(fuel)}.get(fuel.kind, _SOURCES)


_MAKE: Mapping[Grouping, Callable[[Fuel], Band]] = {
    "detailed": _detailed,
    "simplified": _simplified,
    "renewable": _renewable,
    "sources": _sources,
}
# Of each grouping: every fuel's band.
BANDS: Mapping[Grouping, Mapping[str, Band]] = {
    grouping: {fuel.id: make(fuel) for fuel in FUELS.values()} for grouping, make in _MAKE.items()
}
GROUPING_WORDS: Mapping[Grouping, str] = {
    "detailed": "Detailed",
    "simplified": "Simplified",
    "renewable": "Renewable/Fossil",
    "sources": "Sources & Loads",
}


def stack_order(grouping: Grouping) -> list[Band]:
    """The grouping's bands, bottom to top."""
    return list(dict.fromkeys(BANDS[grouping].values()))
