"""What supplied a region and what it drew: the stack over time, a row per band over a window, and the renewable share.

Bands are of a grouping (`dashboard.bands`): sums are taken over a band's fuels first, ratios after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cache_store.answer import Answer
from dashboard.bands import BANDS, Band, stack_order
from dashboard.data import Grouping, Unit
from dashboard.tables import shape
from dashboard.tables.shape import Array, Columns
from nem.fuels import FUELS, RENEWABLES
from nem.regions import NEM, REGIONS

ROOFTOP = "solar_rooftop"
EXCHANGES = {"imports": "import_mwh", "exports": "export_mwh"}
GENERATION = tuple(fuel.id for fuel in FUELS.values() if fuel.kind == "generation")
_PAID = {"demand_mwh", "provisional_count"}  # of the prices, beside the price
SHARE_NEEDS = 0.95  # of the hours: with fewer in which every input is known, a renewable share is not told


@dataclass(frozen=True, slots=True)
class Stack:
    """Bands over time, loads and exports negative, beside demand and price.

    ``columns`` holds ``interval_start``, ``interval_end``, one column per id in ``bands`` (stack order), ``supply``
    (what stands above zero), ``demand``, ``price`` ($/MWh), and ``marked`` (1 where a bucket is partial or the newest
    readings are provisional); a stretch without data is one row of NaN. All but price and marked are in ``unit``.
    ``unconfirmed`` is the price again where AEMO has not confirmed it or reviews it, else NaN; for NEM it is not known.
    """

    columns: Columns
    bands: tuple[Band, ...]
    unit: str

    @property
    def units(self) -> dict[str, str]:
        """What is read off it, and in what."""
        return {**dict.fromkeys((*(band.id for band in self.bands), "supply", "demand"), self.unit), "price": "$/MWh"}


@dataclass(frozen=True, slots=True)
class FuelRow:
    """One band over a whole window, loads and exports negative: in energy, in mean power, and in value what they paid.

    ``share`` is of the region's own supply, so loads and exchanges have none. An exchange has energy and mean power alone:
    it is a difference of dispatch, and earns no fuel anything.
    """

    band: Band
    energy_mwh: float
    mean_mw: float | None
    share: float | None = None
    capacity_factor: float | None = None
    dwa_price: float | None = None
    market_value_aud: float | None = None


def stack(generation: Answer, price: Answer, region: str, grouping: Grouping = "detailed", unit: Unit = "mw") -> Stack:
    """One region's stack, from its rows of `generation_by_fuel` and `regional_price` over the same window.

    ``unit``: mean MW, the energy of a bucket in MWh (GWh where that is more than 10,000), or percent of the supply.
    """
    starts, ends, energy = shape.spread(generation.table, "fueltech_id", "energy_mwh", fuel_groups(grouping))
    own = {name: np.nan_to_num(values) for name, values in energy.items()}
    market = shape.columns(price.table)
    if region != NEM:
        exchanges = {
            name: shape.on(starts, market["interval_start"], market[column]) for name, column in EXCHANGES.items()
        }
        own |= {name: np.nan_to_num(values) for name, values in exchanges.items()}
    grid, first = np.unique(np.concatenate([starts, market["interval_start"]]), return_index=True)
    times = {"interval_start": grid, "interval_end": np.concatenate([ends, market["interval_end"]])[first]}
    own = {name: shape.on(grid, starts, values) for name, values in own.items()}
    paid = {
        name: shape.on(grid, market["interval_start"], market[name]) for name in _PAID | {shape.price_column(region)}
    }
    bands = drawn_bands(own, grouping, unit)
    factor, word = _scale(unit, [own[band.id] for band in bands], times, generation)
    # Demand and exchanges come with the prices, which may reach less far.
    priced = {"mw": _per_hour(times, price), "energy": factor, "share": np.nan}[unit]
    out = signed(times, own, bands, factor, np.nan_to_num(priced))
    out["demand"] = paid["demand_mwh"] * priced
    out["price"] = paid[shape.price_column(region)]
    out["unconfirmed"] = np.where(np.nan_to_num(paid["provisional_count"]) > 0, out["price"], np.nan)
    out["marked"] = shape.on(grid, starts, _marked(generation.table))
    return Stack(shape.break_gaps(out), tuple(bands), word)


def drawn_bands(own: Mapping[str, Array], grouping: Grouping, unit: Unit) -> list[Band]:
    """The bands that have anything, in stack order; of shares those that are the region's own supply."""
    return [
        band
        for band in stack_order(grouping)
        if np.any(np.nan_to_num(own.get(band.id, 0.0)) != 0) and (band.supplies or unit != "share")
    ]


def signed(
    times: Columns, own: Columns, bands: Sequence[Band], factor: Array | float, exchanged: Array | float
) -> Columns:
    """``times`` with what is drawn of each band, in units by its factor, and ``supply``: all above zero; NaN without any."""
    out = dict(times)
    for band in bands:
        value = own[band.id] * (exchanged if band.kind == "exchange" else factor)
        out[band.id] = -value if band.below_zero else value
    above = [out[band.id] for band in bands if not band.below_zero]
    out["supply"] = np.sum(above, axis=0) if above else np.full(len(times["interval_start"]), np.nan)
    return out


def fuel_groups(grouping: Grouping) -> Mapping[str, str]:
    """Every fuel's band."""
    return {fuel: band.id for fuel, band in BANDS[grouping].items()}


def _scale(unit: Unit, own: Sequence[Array], times: Columns, generation: Answer) -> tuple[Array | float, str]:
    """What turns MWh of each bucket into ``unit``, and the unit's name."""
    if unit == "energy":
        largest = max((float(np.nanmax(values)) for values in own), default=0.0)
        return (1e-3, "GWh") if largest > 10_000 else (1.0, "MWh")
    if unit == "mw":
        return _per_hour(times, generation), "MW"
    return percent_of_supply(own, len(times["interval_start"])), "%"


def percent_of_supply(own: Sequence[Array], size: int) -> Array:
    """What turns each of ``size`` amounts into percent of what those of ``own`` above zero add up to."""
    supply = np.sum([np.zeros(size), *(np.maximum(values, 0) for values in own)], axis=0)
    return shape.ratios(100, supply)


def _per_hour(times: Columns, answer: Answer) -> Array:
    """What turns MWh of each bucket into mean MW, over the hours that the answer covers."""
    return shape.ratios(1, shape.bucket_hours(times, answer.receipt))


def _marked(table: pa.Table) -> Array:
    """1 for buckets that the window or the data cuts short, and for the newest ones while readings are provisional."""
    data = shape.columns(table, ("interval_start", "interval_end", "complete", "provisional_count"))
    found = shape.per_bucket(data, cut=1.0 - data["complete"], provisional=data["provisional_count"])
    firm = np.flatnonzero(~(found["provisional"] > 0))
    newest = np.arange(len(found["cut"])) > (firm[-1] if firm.size else -1)
    return np.asarray(((found["cut"] > 0) | newest).astype(float))


def fuel_rows(
    generation: Answer,
    grouping: Grouping = "detailed",
    price: Answer | None = None,
    units: pa.Table | None = None,
) -> list[FuelRow]:
    """One row per band over the answer's window, from the top of the stack down.

    ``price``, of a single region, adds its imports and exports; ``units`` (of `capacity_factor`) the capacity factors.
    Storage has none: what it gives back is not what it could have generated.
    """
    groups, hours = fuel_groups(grouping), shape.held_hours(generation.receipt)
    found = shape.sums(generation.table, "fueltech_id", ("energy_mwh", "priced_energy_mwh", "market_value_aud"), groups)
    factors = band_factors(units, grouping) if units is not None else {}
    bands = stack_order(grouping)
    supply = sum(found.get(band.id, {}).get("energy_mwh") or 0.0 for band in bands if band.supplies)
    flows, priced = (exchanged(price), shape.held_hours(price.receipt)) if price is not None else ({}, 0.0)
    rows = []
    for band in reversed(bands):
        sum_of = found.get(band.id, {})
        energy = flows.get(band.id) or sum_of.get("energy_mwh")
        if energy:
            sign, value = -1 if band.below_zero else 1, sum_of.get("market_value_aud")
            rows.append(
                FuelRow(
                    band=band,
                    energy_mwh=sign * energy,
                    mean_mw=shape.ratio(sign * energy, priced if band.id in flows else hours),
                    share=shape.ratio(energy, supply) if band.supplies else None,
                    capacity_factor=factors.get(band.id),
                    dwa_price=shape.ratio(value, sum_of.get("priced_energy_mwh")),
                    market_value_aud=None if value is None else sign * value,
                )
            )
    return rows


def exchanged(price: Answer) -> dict[str, float]:
    """A single region's imports and exports over the answer's window, MWh."""
    data = shape.columns(price.table, EXCHANGES.values())
    return {name: shape.total(data[column]) or 0.0 for name, column in EXCHANGES.items()}


def generator_groups(grouping: Grouping) -> Mapping[str, str]:
    """Every generating fuel's band, and no band's name for what stores or draws: that has no capacity factor."""
    stores = {fuel.id: "" for fuel in FUELS.values() if fuel.kind != "generation"}
    return {**fuel_groups(grouping), **stores, "battery": ""}  # a unit may be registered as a battery, both ways


def band_factors(units: pa.Table, grouping: Grouping) -> dict[str, float | None]:
    """Each band's rated energy over potential, of its generators alone: a unit of unknown capacity is in neither."""
    found = shape.sums(units, "fueltech_id", ("rated_energy_mwh", "potential_mwh"), generator_groups(grouping))
    return {name: shape.ratio(row["rated_energy_mwh"], row["potential_mwh"]) for name, row in found.items() if name}


def renewable_shares(generation: Answer, region: str) -> Columns:
    """Each bucket's ``interval_start``, ``interval_end``, ``renewable`` and ``generated`` MWh, and ``hours``.

    Both sums are NaN in a bucket where an input is missing: a rooftop estimate of any label and region, or all metered
    generation. Rooftop is in both, storage and imports in neither.
    """
    data = shape.columns(generation.table, ("interval_start", "interval_end", "energy_mwh", "reading_count"))
    names, place = shape.keyed(generation.table.column("fueltech_id"))

    def of(fuels: Sequence[str], measure: str) -> Array:
        return np.where(np.isin(place, [names.index(fuel) for fuel in fuels if fuel in names]), data[measure], np.nan)

    found = shape.per_bucket(
        data,
        renewable=of(RENEWABLES, "energy_mwh"),
        generated=of(GENERATION, "energy_mwh"),
        metered=of([fuel for fuel in names if fuel != ROOFTOP], "energy_mwh"),
        estimates=of((ROOFTOP,), "reading_count"),
    )
    found["hours"] = shape.bucket_hours(found, generation.receipt)
    expected = np.round(found["hours"] * shape.PER_HOUR) * (len(REGIONS) if region == NEM else 1)
    estimates, metered = np.nan_to_num(found.pop("estimates")), found.pop("metered")
    whole = (estimates >= expected) & (expected > 0) & ~np.isnan(metered)
    return found | {name: np.where(whole, np.nan_to_num(found[name]), np.nan) for name in ("renewable", "generated")}


def renewable_share(generation: Answer, region: str) -> float | None:
    """Renewable over all generation of the answer's window, summed and then divided, over buckets with every input.

    None while those are fewer than ``SHARE_NEEDS`` of the hours, and where nothing generates.
    """
    shares = renewable_shares(generation, region)
    whole = ~np.isnan(shares["generated"])
    if not whole.size or shares["hours"][whole].sum() < SHARE_NEEDS * shares["hours"].sum():
        return None
    return shape.ratio(float(shares["renewable"][whole].sum()), float(shares["generated"][whole].sum()))
