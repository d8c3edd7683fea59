"""Price Analysis: what energy was worth, by fuel, and as a tree of regions, fuels and stations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from cache_store.answer import Answer
from dashboard.data import Export, Market, Question, Selection, Tables
from dashboard.tables import shape
from dashboard.tables.supply import ROOFTOP
from nem.fuels import FUELS, LOADS
from nem.regions import NEM
from nem.windows import Window

ROOFTOPS = "Rooftops"  # in the place of a station
_SUMMED = ("energy_mwh", "market_value_aud", "priced_energy_mwh", "rated_energy_mwh", "potential_mwh")


@dataclass(frozen=True, slots=True)
class FuelValue:
    """A fuel's energy, and what it earned or, for a load, paid."""

    fuel_id: str
    energy_mwh: float | None
    market_value_aud: float | None
    dwa_price: float | None
    capture_rate: float | None
    negative_price_share: float | None


@dataclass(frozen=True, slots=True)
class Branch:
    """A row of the tree: ``path`` are the names from the top down to it, none for the whole.

    ``capacity_mw`` is averaged over the hours of the range that have data; of it and the factor, units of unknown
    capacity are no part.
    """

    path: tuple[str, ...]
    energy_mwh: float | None
    market_value_aud: float | None
    dwa_price: float | None
    capture_rate: float | None
    capacity_factor: float | None
    capacity_mw: float | None


@dataclass(frozen=True, slots=True)
class PriceValue(Tables):
    """``tree`` lists every branch before what is below it, the largest first; ``order`` are its levels' columns."""

    window: Window
    order: tuple[str, ...]
    fuels: tuple[FuelValue, ...]
    tree: tuple[Branch, ...]


def load(market: Market, selection: Selection) -> PriceValue:
    """The value of the range's energy: by fuel, and down to stations."""
    window = market.window("generation_by_fuel", selection)
    names = ("generation_by_fuel", "capacity_factor", "regional_price")
    questions = tuple(Question(name, window, "1M") for name in names)
    generation, units = (market.answer(question) for question in questions[:2])
    price = market.answer_beside(questions[2])
    means = mean_prices(price.table)
    leaves = _leaves(units, generation, means)
    if selection.region != NEM:
        leaves = shape.kept(leaves, leaves["region_id"] == selection.region)
    above = ("fueltech_id", "region_id") if selection.view == "value_by_fuel" else ("region_id", "fueltech_id")
    order = (*above, "station_name")
    hours = shape.held_hours(units.receipt)
    fuels = fuel_values(generation.table, means, selection.region)
    tree = tuple(branches(leaves, order, hours))
    return PriceValue(
        window=window,
        order=order,
        fuels=fuels,
        tree=tree,
        selection=selection,
        receipts=(generation.receipt, units.receipt, price.receipt),
        exports=(
            Export("value-by-fuel", "Value by fuel", questions, lambda: shape.listed(fuels, *FuelValue.__slots__)),
            Export("value-tree", "Value by region, fuel and station", questions, lambda: _tree_table(tree, order)),
        ),
    )


def mean_prices(price: pa.Table) -> dict[str, float | None]:
    """Each region's time-weighted price over the table."""
    sums = shape.sums(price, "region_id", ("rrp_sum", "interval_count"))
    return {region: shape.ratio(row["rrp_sum"], row["interval_count"]) for region, row in sums.items()}


def fuel_values(generation: pa.Table, means: Mapping[str, float | None], region: str) -> tuple[FuelValue, ...]:
    """A row per fuel, stack order from the top."""
    data = shape.columns(generation)
    if region != NEM:
        data = shape.kept(data, data["region_id"] == region)
    data |= _benchmark(data, means)
    rows = []
    for fuel in reversed(FUELS):
        mine = shape.kept(data, data["fueltech_id"] == fuel)
        if shape.total(mine["energy_mwh"]):
            negative, priced = (shape.total(mine[f"{name}_energy_mwh"]) for name in ("negative_price", "priced"))
            rows.append(FuelValue(fuel, **_worth(mine), negative_price_share=shape.ratio(negative, priced)))
    return tuple(rows)


def _benchmark(data: shape.Columns, means: Mapping[str, float | None]) -> shape.Columns:
    """What each row's priced energy would have earned at the time-weighted price of its own region, and did earn.

    The second over the first is the capture rate: in one region, its dispatch-weighted over its time-weighted price.
    A region whose mean is not positive has no such rate, and takes no part in the market's.
    """
    price = np.array([means.get(region) for region in data["region_id"]], dtype=float)
    benchmark = data["priced_energy_mwh"] * np.where(price > 0, price, np.nan)
    value = np.where(np.isnan(benchmark), np.nan, data["market_value_aud"])
    return {"benchmark_aud": benchmark, "benchmarked_value_aud": value}


def _worth(rows: shape.Columns) -> dict[str, float | None]:
    """What their energy earned."""
    energy, value, priced = (shape.total(rows[name]) for name in _SUMMED[:3])
    earned, benchmark = (shape.total(rows[name]) for name in ("benchmarked_value_aud", "benchmark_aud"))
    return {
        "energy_mwh": energy,
        "market_value_aud": value,
        "dwa_price": shape.ratio(value, priced),
        "capture_rate": shape.ratio(earned, benchmark),
    }


def _leaves(units: Answer, generation: Answer, means: Mapping[str, float | None]) -> shape.Columns:
    """What the tree's stations are summed from: units' rows, and rooftop, which has no stations."""
    names = ("region_id", "fueltech_id", "station_name")
    data = shape.columns(units.table, (*names, *_SUMMED))
    data["fueltech_id"] = np.where(data["fueltech_id"] == "battery", "battery_discharging", data["fueltech_id"])
    data = shape.kept(data, ~np.isin(data["fueltech_id"], LOADS))
    roofs = shape.columns(shape.where(generation.table, "fueltech_id", [ROOFTOP]))
    count = len(roofs["region_id"])
    absent = np.full(count, np.nan)
    roofs |= {"rated_energy_mwh": absent, "potential_mwh": absent, "station_name": np.full(count, ROOFTOPS, object)}
    whole = {name: np.concatenate([data[name], roofs[name]]) for name in data}
    return whole | _benchmark(whole, means)


def branches(leaves: shape.Columns, order: Sequence[str], hours: float, path: tuple[str, ...] = ()) -> list[Branch]:
    """The branch that all ``leaves`` make, and those below it."""
    found = [_branch(leaves, hours, path)]
    if len(path) == len(order):
        return found
    parts = shape.groups(leaves[order[len(path)]])
    below = [branches(shape.kept(leaves, rows), order, hours, (*path, name)) for name, rows in parts.items()]
    below.sort(key=lambda rows: -(rows[0].energy_mwh or 0.0))
    return [*found, *(row for rows in below for row in rows)]


def _branch(leaves: shape.Columns, hours: float, path: tuple[str, ...]) -> Branch:
    rated, potential = (shape.total(leaves[name]) for name in _SUMMED[3:])
    return Branch(
        path,
        **_worth(leaves),
        capacity_factor=shape.ratio(rated, potential),
        capacity_mw=shape.ratio(potential, hours),
    )


def _tree_table(tree: Sequence[Branch], order: Sequence[str]) -> pa.Table:
    """A level's column is null in the sums over it."""

    def name_at(branch: Branch, level: int) -> str | None:
        return branch.path[level] if level < len(branch.path) else None

    levels = {name: partial(name_at, level=level) for level, name in enumerate(order)}
    return shape.listed(tree, *Branch.__slots__[1:], **levels)
