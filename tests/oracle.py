"""An independent answer to every query, from raw tables, in pandas and numpy; written from the definitions.

It shares no code with what it judges but the vocabulary of ``nem.windows`` and ``nem.fuels``. A raw set is a mapping
of table name to table as AEMO gives it: nothing derived. Where a sum has nothing to add it is null, as in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from nem.fuels import LOADS
from nem.windows import INTERVAL_HOURS, Resolution, Window

HALF_HOUR = 6  # labels
FIVE_MINUTE_SETTLEMENT = np.datetime64("2021-10-01T00:05", "us")  # the first label settled at its own price
CAP_STRIKE = 300.0
BANDS = {
    "below_0": (-np.inf, 0.0),
    "0_300": (0.0, 300.0),
    "300_1000": (300.0, 1000.0),
    "1000_up": (1000.0, np.inf),
}
NOT_FINAL = {
    "price_status": "NOT FIRM",
    "mii_status": "MII_SUBJECT_TO_REVIEW",
    "ocd_status": "OCD_UNRESOLVED",
}
AT_LIMIT_MW = 0.015  # AEMO rounds to 0.01 MW
COMMON = ["interval_start", "interval_end", "complete"]
KEYS = {
    "generation_by_fuel": ["region_id", "fueltech_id"],
    "regional_price": ["region_id"],
    "capacity_factor": ["duid"],
    "interconnector_flow": ["interconnector_id"],
}
UNIT_FACTS = ["station_name", "region_id", "fueltech_id"]
MEASURES = {
    "generation_by_fuel": [
        *("energy_mwh", "priced_energy_mwh", "negative_price_energy_mwh", "market_value_aud"),
        *("reading_count", "provisional_count", "missing_count"),
    ],
    "regional_price": [
        *("rrp_sum", "interval_count", "provisional_count", "rrp_min", "rrp_max"),
        *("demand_mwh", "priced_demand_mwh", "demand_value_aud"),
        *(f"band_{band}_{what}" for band in BANDS for what in ("count", "rrp_sum")),
        *("cap_payout_aud_per_mw", "import_mwh", "export_mwh", "demand_operational_count"),
    ],
    "capacity_factor": [
        *("energy_mwh", "rated_energy_mwh", "priced_energy_mwh", "potential_mwh", "charge_mwh", "priced_charge_mwh"),
        *("market_value_aud", "charge_value_aud", "running_count", "missing_count", "max_mw", "storage_mwh"),
    ],
    "interconnector_flow": [
        *("forward_mwh", "reverse_mwh", "rated_forward_mwh", "rated_reverse_mwh"),
        *("forward_limit_mwh", "reverse_limit_mwh", "losses_mwh"),
        *("at_forward_limit_count", "at_reverse_limit_count", "at_both_limits_count", "limit_count"),
        *("min_mw", "max_mw", "reading_count", "provisional_count"),
    ],
}
RATIOS = {
    "generation_by_fuel": ["mean_mw", "share", "dwa_price", "negative_price_share"],
    "regional_price": ["demand_mw", "twa_price", "demand_weighted_price", "negative_count", "negative_share"],
    "capacity_factor": ["mean_mw", "capacity_factor", "dwa_price"],
    "interconnector_flow": [
        *("mean_mw", "forward_utilisation", "reverse_utilisation", "at_limit_share", "missing_count"),
    ],
}
EXTREMES = {"rrp_min": "min", "rrp_max": "max", "min_mw": "min", "max_mw": "max", "storage_mwh": "max"}
SHARED_OUT = ("generation_by_fuel", "fueltech_id")
OF_NEM = {  # what alone has a sum over regions, where not all has
    "regional_price": [
        *("demand_mwh", "priced_demand_mwh", "demand_value_aud", "demand_operational_count"),
        *("demand_mw", "demand_weighted_price"),
    ],
}
PACED_BY = {
    "generation_by_fuel": "unit_scada",
    "regional_price": "regional_price",
    "capacity_factor": "unit_scada",
    "interconnector_flow": "interconnector_flow",
}

Raw = Mapping[str, pa.Table]


def read_raw(folder: Path) -> dict[str, pa.Table]:
    """The raw set in a folder like ``nem/sample``."""
    raw = {
        name: pyarrow.parquet.read_table(folder / f"{name}.parquet")
        for name in ("unit_scada", "regional_price", "regional_demand", "rooftop_pv")
    }
    return {**raw, "units": pyarrow.csv.read_csv(folder / "units.csv")}


def expected(
    query: str,
    raw: Raw,
    window: Window,
    resolution: Resolution,
    region: str | None = None,
    filters: Mapping[str, str | Iterable[str]] | None = None,
    *,
    former: tuple[Raw, Iterable[Window]] | None = None,
) -> pd.DataFrame:
    """What ``query`` must answer, ordered by interval start and keys; ``filters`` maps a column to what it may be.

    ``former`` is the raw set before it was revised, and where its 5-minute rows still stand for the revised ones.

    A filter picks 5-minute rows: a unit that moves, or changes fuel, counts in each for its time there. Only a share is
    of the whole region, so fuels are picked from shares that are done.
    """
    oracle = _oracle_of(raw)
    leaves, covered = oracle.leaves(query), _within(oracle.covered(PACED_BY[query]), window)
    shown = {column: allowed for column, allowed in (filters or {}).items() if (query, column) == SHARED_OUT}
    chosen = {column: allowed for column, allowed in (filters or {}).items() if column not in shown}
    rows = _within_rows(leaves, window)
    if former:
        rows = _as_they_were(rows, _oracle_of(former[0]).leaves(query), list(former[1]))
    rows = _only(_in_region(query, rows, region), chosen)
    table = _rolled_up(query, rows, resolution)
    table = _with_buckets(table, covered, resolution)
    table = _RATIOS_OF[query](table)
    if query in OF_NEM and region == "NEM":
        table[[name for name in (*MEASURES[query], *RATIOS[query]) if name not in OF_NEM[query]]] = np.nan
    table = _only(table, shown)
    facts = UNIT_FACTS if query == "capacity_factor" else []
    columns = [*COMMON, *KEYS[query], *facts, *MEASURES[query], *RATIOS[query]]
    return table.sort_values(["interval_start", *KEYS[query]])[columns].reset_index(drop=True)


def _as_they_were(rows: pd.DataFrame, former: pd.DataFrame, parts: list[Window]) -> pd.DataFrame:
    """``rows`` with those of ``former`` in their place where the labels are in one of ``parts``."""
    if not parts:
        return rows
    for part in parts:
        rows = rows.drop(_within_rows(rows, part).index)
    old = [_within_rows(former, part) for part in parts]
    return pd.concat([rows, *old]).sort_values("settlement_date", kind="stable", ignore_index=True)


def _only(rows: pd.DataFrame, filters: Mapping[str, str | Iterable[str]]) -> pd.DataFrame:
    for column, allowed in filters.items():
        rows = rows[rows[column].isin([allowed] if isinstance(allowed, str) else list(allowed))]
    return rows


def _in_region(query: str, rows: pd.DataFrame, region: str | None) -> pd.DataFrame:
    assert region is None or query != "interconnector_flow", "a link lies between two regions"
    if region is None or (region == "NEM" and query == "capacity_factor"):
        return rows
    return rows.assign(region_id="NEM") if region == "NEM" else rows[rows["region_id"] == region]


def compare(actual: pa.Table, expected: pd.DataFrame, *, relative: float = 1e-9, absolute: float = 1e-6) -> None:
    """Assert that both hold the same columns and, in the same order, the same rows and values; null equals only null."""
    found = actual.to_pandas()
    _assert_same_columns(found, expected)
    one = [name for name in ("duid", "interconnector_id") if name in expected]
    keys = one or [name for name in ("region_id", "fueltech_id") if name in expected]
    keys = ["interval_start", *keys]
    found = found.astype({name: expected[name].dtype for name in keys})
    for frame in (found, expected):
        twice = frame[frame.duplicated(keys, keep=False)]
        assert twice.empty, f"keys come more than once:\n{twice[keys].head(10).to_string()}"
    _assert_same_rows(found[keys], expected[keys], keys)
    for name in expected.columns.difference(keys, sort=False):
        _assert_same_values(found, expected, name, keys, relative, absolute)


def _assert_same_columns(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    absent = [name for name in expected if name not in found]
    surplus = [name for name in found if name not in expected]
    assert absent + surplus == [], f"columns absent: {absent}, not expected: {surplus}"


def _assert_same_rows(found: pd.DataFrame, expected: pd.DataFrame, keys: list[str]) -> None:
    if found.empty and expected.empty:
        return  # pandas cannot merge two tables without rows
    both = found.merge(expected, on=keys, how="outer", indicator=True)
    odd = both[both["_merge"] != "both"]
    if not odd.empty:
        side = odd["_merge"].map({"left_only": "not expected", "right_only": "absent"}).rename("row is")
        raise AssertionError(
            f"{len(found)} rows, {len(expected)} expected; {len(odd)} differ, the first of them:\n"
            + pd.concat([odd[keys], side], axis=1).head(20).to_string(index=False)
        )
    moved = np.flatnonzero((found.to_numpy() != expected.to_numpy()).any(axis=1))
    assert moved.size == 0, f"rows are not ordered by {keys}, first at row {moved[0]}: {found.iloc[moved[0]].to_dict()}"


def _assert_same_values(
    found: pd.DataFrame, expected: pd.DataFrame, name: str, keys: list[str], relative: float, absolute: float
) -> None:
    is_number = pd.api.types.is_numeric_dtype(expected[name]) and expected[name].dtype != bool
    if is_number:
        left, right = (pd.to_numeric(f[name]).to_numpy(float, na_value=np.nan) for f in (found, expected))
        same = np.isclose(left, right, rtol=relative, atol=absolute, equal_nan=True)
    else:
        left, right = found[name].to_numpy(), expected[name].to_numpy()
        same = (left == right) | (pd.isna(left) & pd.isna(right))
    if same.all():
        return
    off = expected.loc[~same, keys].assign(actual=left[~same], expected=right[~same])
    if is_number:
        off["difference"] = off["actual"] - off["expected"]
    raise AssertionError(f"{name} differs in {len(off)} of {len(same)} rows:\n{off.head(20).to_string(index=False)}")


# From raw tables to leaf rows, one per key and 5-minute label.


@dataclass(eq=False)
class _Oracle:
    """The leaf rows of one raw set, each worked out once."""

    raw: Raw
    _leaves: dict[str, pd.DataFrame] = field(default_factory=dict)

    def leaves(self, query: str) -> pd.DataFrame:
        if query not in self._leaves:
            work_out = {
                "generation_by_fuel": self._generation_leaves,
                "regional_price": self._price_leaves,
                "capacity_factor": self._capacity_leaves,
                "interconnector_flow": self._flow_leaves,
            }[query]
            self._leaves[query] = work_out().sort_values(["settlement_date", *KEYS[query]], ignore_index=True)
        return self._leaves[query]

    def covered(self, table: str) -> np.ndarray:
        """Labels from the table's first to its last, without days it holds no row of."""
        labels = np.unique(self.frame(table)["settlement_date"].to_numpy())
        days = np.unique(_start(labels).astype("M8[D]"))
        step = HALF_HOUR if table == "rooftop_pv" else 1  # a point is held over the half hour before it
        span = _grid(labels[0] - np.timedelta64(5 * (step - 1), "m"), labels[-1])
        return span[np.isin(_start(span).astype("M8[D]"), days)]

    def frame(self, table: str) -> pd.DataFrame:
        found = self.raw[table].to_pandas()
        if "settlement_date" in found:
            found["settlement_date"] = found["settlement_date"].astype("datetime64[us]")
        return found

    @cached_property
    def units(self) -> pd.DataFrame:
        """The registry, and last a row that stands for a unit it does not know."""
        units = self.frame("units")
        for edge in ("effective_date", "end_date"):
            units[edge] = pd.to_datetime(units[edge]).astype("datetime64[us]")
        units["region_id"] = units["region_id"].astype(object).fillna("unknown")
        units["fueltech_id"] = units["fueltech_id"].astype(object).fillna("unknown")
        maximum, registered = units["capacity_maximum_mw"], units["capacity_registered_mw"]
        capacity = maximum.where(maximum > 0, registered).astype(float)
        units["capacity_mw"] = capacity.where(capacity > 0)
        units["is_registered"] = True
        stranger = {"region_id": "unknown", "fueltech_id": "unknown", "is_registered": False}
        return pd.concat([units.astype(object), pd.DataFrame([stranger], dtype=object)], ignore_index=True)

    @cached_property
    def settlement_rrp(self) -> pd.Series:
        """The price energy is settled at, by label and region; a label without one is absent."""
        prices = self.frame("regional_price").dropna(subset="rrp")
        own = prices["settlement_date"] >= FIVE_MINUTE_SETTLEMENT
        older = prices[~own]
        half_hour = [older["settlement_date"].dt.ceil("30min"), older["region_id"]]
        mean = older.groupby(half_hour)["rrp"].agg(["mean", "count"])
        mean = mean.loc[mean["count"] == HALF_HOUR, "mean"].rename("settlement_rrp").reset_index()
        labels = [mean.assign(settlement_date=mean["settlement_date"] - pd.Timedelta(minutes=5 * n)) for n in range(6)]
        newer = prices[own].rename(columns={"rrp": "settlement_rrp"})
        return pd.concat([*labels, newer]).set_index(["settlement_date", "region_id"])["settlement_rrp"]

    def priced(self, rows: pd.DataFrame) -> pd.DataFrame:
        price = self.settlement_rrp.reindex(pd.MultiIndex.from_frame(rows[["settlement_date", "region_id"]]))
        return rows.assign(settlement_rrp=price.to_numpy())

    @cached_property
    def unit_intervals(self) -> pd.DataFrame:
        """A row for each covered label and unit that is registered then or sent a reading: mean power and facts."""
        scada, units = self.frame("unit_scada"), self.units
        labels = self.covered("unit_scada")
        grid = _grid(labels[0], labels[-1] + np.timedelta64(5, "m"))  # a row more, for the last label's next reading
        duids = np.array(sorted({*scada["duid"], *units["duid"].dropna()}), dtype=object)
        readings = np.full((len(grid), len(duids)), np.nan)
        at = (scada["settlement_date"].to_numpy() - grid[0]) // np.timedelta64(5, "m")
        readings[at, np.searchsorted(duids, scada["duid"].to_numpy(object))] = scada["scada_mw"]

        fact_row = self._registry_rows(_start(grid), duids)
        is_generator = (units["dispatch_type"] == "GENERATOR").to_numpy()[fact_row[:-1]]
        own, following = readings[:-1], readings[1:]
        own = np.where(is_generator, np.maximum(own, 0), own)
        following = np.where(is_generator, np.maximum(following, 0), following)
        has_own, has_next = ~np.isnan(own), ~np.isnan(following)
        mean = np.where(has_next, (own + following) / 2, own)  # without its own reading it stays null

        is_registered = units["is_registered"].to_numpy(bool)[fact_row[:-1]]
        is_wanted = (is_registered | has_own) & np.isin(grid[:-1], labels)[:, None]
        when, which = np.nonzero(is_wanted)
        facts = units.iloc[fact_row[:-1][is_wanted]]
        rows = pd.DataFrame(
            {
                "settlement_date": grid[when],
                "duid": duids[which],
                "mean_mw": mean[is_wanted],
                "has_reading": has_own[is_wanted],
                "is_provisional": (has_own & ~has_next)[is_wanted],
                **{name: facts[name].to_numpy() for name in (*UNIT_FACTS, "dispatch_type")},
                "capacity_mw": facts["capacity_mw"].to_numpy(float),
                "storage_mwh": facts["storage_mwh"].to_numpy(float),
                "is_registered": facts["is_registered"].to_numpy(bool),
            }
        )
        return self.priced(rows)

    def _registry_rows(self, starts: np.ndarray, duids: np.ndarray) -> np.ndarray:
        """For each interval start and unit the row of the registry valid then; the last row where none is."""
        known = self.units.iloc[:-1]
        found = np.full((len(starts), len(duids)), len(known))
        for row, unit in known.sort_values("effective_date", kind="stable").iterrows():
            begin, end = (pd.Timestamp(unit[edge]).to_datetime64() for edge in ("effective_date", "end_date"))
            valid = (np.isnat(begin) | (starts >= begin)) & (np.isnat(end) | (starts < end))
            found[valid, np.searchsorted(duids, unit["duid"])] = row
        return found

    def _generation_leaves(self) -> pd.DataFrame:
        units = self.unit_intervals
        energy = units["mean_mw"] * INTERVAL_HOURS
        is_battery = units["fueltech_id"] == "battery"
        sides = [units.assign(energy_mwh=energy)[~is_battery]]
        for fuel, sign in (("battery_discharging", 1), ("battery_charging", -1)):
            one_way = (sign * energy[is_battery]).clip(lower=0)
            sides.append(units[is_battery].assign(fueltech_id=fuel, energy_mwh=one_way))
        rows = pd.concat([*sides, self._rooftop_rows()])
        rows["reading_count"] = rows["has_reading"].astype(int)
        rows["missing_count"] = (~rows["has_reading"]).astype(int)
        rows["provisional_count"] = rows["is_provisional"].astype(int)
        rows = _valued(rows)
        keys = ["settlement_date", *KEYS["generation_by_fuel"]]
        return _sums(rows, keys, MEASURES["generation_by_fuel"])

    def _rooftop_rows(self) -> pd.DataFrame:
        """Rooftop by label: between two points half an hour apart linear; beside a lone one held, and provisional."""
        points = self.frame("rooftop_pv").dropna(subset="rooftop_mw").set_index(["region_id", "settlement_date"])
        power = points["rooftop_mw"]
        opened_by = power.rename(lambda label: label + pd.Timedelta(minutes=30), level="settlement_date")
        halves = pd.DataFrame({"from_mw": opened_by, "to_mw": power})  # by the label that ends the half hour
        halves["is_provisional"] = halves.isna().any(axis=1)
        halves["from_mw"], halves["to_mw"] = (
            halves["from_mw"].fillna(halves["to_mw"]),
            halves["to_mw"].fillna(halves["from_mw"]),
        )
        rows = pd.concat([_label_of(halves.reset_index(), n) for n in range(HALF_HOUR)])
        rows = rows[rows["settlement_date"].isin(self.covered("unit_scada"))]
        return self.priced(rows.assign(fueltech_id="solar_rooftop", has_reading=True))

    def _capacity_leaves(self) -> pd.DataFrame:
        rows = self.unit_intervals.copy()
        rows["station_name"] = rows["station_name"].where(rows["is_registered"], rows["duid"])
        rows["potential_mwh"] = rows["capacity_mw"] * INTERVAL_HOURS
        energy = rows["mean_mw"] * INTERVAL_HOURS
        is_load, goes_both_ways = (rows["dispatch_type"] == kind for kind in ("LOAD", "BIDIRECTIONAL"))
        nothing = energy * 0  # null where the reading is
        rows["energy_mwh"] = energy.where(~goes_both_ways, energy.clip(lower=0)).where(~is_load, nothing)
        rows["rated_energy_mwh"] = rows["energy_mwh"].where(rows["capacity_mw"].notna())
        charge = nothing.where(~goes_both_ways, (-energy).clip(lower=0)).where(~is_load, energy)
        rows["charge_mwh"] = charge
        rows["priced_charge_mwh"] = charge.where(rows["settlement_rrp"].notna())
        rows["charge_value_aud"] = charge * rows["settlement_rrp"]
        rows["running_count"] = (rows["energy_mwh"] > 0).astype(int)
        rows["missing_count"] = (rows["is_registered"] & ~rows["has_reading"]).astype(int)
        rows["max_mw"] = rows["mean_mw"]
        rows = _valued(rows)
        return rows[["settlement_date", "duid", *UNIT_FACTS, *MEASURES["capacity_factor"]]]

    def _price_leaves(self) -> pd.DataFrame:
        demand = self.frame("regional_demand")
        for name in ("demand_mw", "demand_operational_mw", "net_interchange_mw"):
            demand[name] = demand[name].astype(float) if name in demand else np.nan
        rows = self.frame("regional_price").merge(demand, on=["settlement_date", "region_id"], how="outer")
        rows = rows[rows["settlement_date"].isin(self.covered("regional_price"))]
        rrp = rows["rrp"]
        rows["rrp_sum"] = rows["rrp_min"] = rows["rrp_max"] = rrp
        rows["interval_count"] = rrp.notna().astype(int)
        states = [rows[name] == state if name in rows else rrp.isna() & False for name, state in NOT_FINAL.items()]
        rows["provisional_count"] = (rrp.notna() & np.any(states, axis=0)).astype(int)
        rows["demand_mwh"] = rows["demand_mw"].fillna(rows["demand_operational_mw"]) * INTERVAL_HOURS
        rows["priced_demand_mwh"] = rows["demand_mwh"].where(rrp.notna())
        rows["demand_value_aud"] = rows["demand_mwh"] * rrp
        rows["demand_operational_count"] = (rows["demand_mw"].isna() & rows["demand_operational_mw"].notna()).astype(
            int
        )
        for band, (low, high) in BANDS.items():
            is_in = (rrp >= low) & (rrp < high)
            rows[f"band_{band}_count"] = is_in.astype(int)
            rows[f"band_{band}_rrp_sum"] = rrp.where(is_in, rrp * 0)
        rows["cap_payout_aud_per_mw"] = (rrp - CAP_STRIKE).clip(lower=0) * INTERVAL_HOURS
        rows["import_mwh"] = (-rows["net_interchange_mw"]).clip(lower=0) * INTERVAL_HOURS
        rows["export_mwh"] = rows["net_interchange_mw"].clip(lower=0) * INTERVAL_HOURS
        return rows[["settlement_date", "region_id", *MEASURES["regional_price"]]]

    def _flow_leaves(self) -> pd.DataFrame:
        rows = self.frame("interconnector_flow")
        columns = ("metered_flow_mw", "target_flow_mw", "export_limit_mw", "import_limit_mw", "losses_mw")
        rows = rows.assign(**{name: rows[name].astype(float) if name in rows else np.nan for name in columns})
        metered, target, above, below, losses = (rows[name] for name in columns)
        readings = rows.set_index(["interconnector_id", "settlement_date"])["metered_flow_mw"]
        next_label = rows["settlement_date"] + pd.Timedelta(minutes=5)
        following = readings.reindex(pd.MultiIndex.from_arrays([rows["interconnector_id"], next_label])).to_numpy()
        mean = ((metered + following) / 2).fillna(metered)
        # A limit on the other side of zero leaves nothing to flow this way.
        ways = {"forward": (mean, above.clip(lower=0)), "reverse": (-mean, (-below).clip(lower=0))}
        for way, (flow, limit) in ways.items():
            energy = flow.clip(lower=0) * INTERVAL_HOURS
            rows[f"{way}_mwh"], rows[f"rated_{way}_mwh"] = energy, energy.where(limit.notna())
            rows[f"{way}_limit_mwh"] = (limit * INTERVAL_HOURS).where(mean.notna())
        is_known = target.notna() & above.notna() & below.notna()
        at = {"forward": above - target <= AT_LIMIT_MW, "reverse": target - below <= AT_LIMIT_MW}
        for way, is_at in at.items():
            rows[f"at_{way}_limit_count"] = (is_known & is_at).astype(int)
        rows["at_both_limits_count"] = (is_known & at["forward"] & at["reverse"]).astype(int)
        rows["limit_count"] = is_known.astype(int)
        rows["losses_mwh"] = losses * INTERVAL_HOURS
        rows["min_mw"] = rows["max_mw"] = mean
        rows["reading_count"] = metered.notna().astype(int)
        rows["provisional_count"] = (metered.notna() & np.isnan(following)).astype(int)
        return rows[["settlement_date", "interconnector_id", *MEASURES["interconnector_flow"]]]


_ORACLES: dict[int, _Oracle] = {}  # least lately asked first
_ORACLES_KEPT = 12


def _oracle_of(raw: Raw) -> _Oracle:
    """The oracle of this raw set: made once, and holding it, so that its identity stays its own while it is kept."""
    oracle = _ORACLES[id(raw)] = _ORACLES.pop(id(raw), None) or _Oracle(raw)
    if len(_ORACLES) > _ORACLES_KEPT:
        del _ORACLES[next(iter(_ORACLES))]
    return oracle


def _label_of(halves: pd.DataFrame, n: int) -> pd.DataFrame:
    """The n-th of the six labels of each half hour, 0 the first: mean power on the line between its two ends."""
    climbed = (n + 0.5) / HALF_HOUR
    mean = halves["from_mw"] * (1 - climbed) + halves["to_mw"] * climbed
    return halves.assign(
        settlement_date=halves["settlement_date"] - pd.Timedelta(minutes=5 * (HALF_HOUR - 1 - n)),
        energy_mwh=mean * INTERVAL_HOURS,
    )


def _valued(rows: pd.DataFrame) -> pd.DataFrame:
    """With market value, and the positive energy that has a price: 0 where output is not positive, null without a price."""
    priced = rows["energy_mwh"].clip(lower=0).where(rows["settlement_rrp"].notna())
    return rows.assign(
        priced_energy_mwh=priced,
        negative_price_energy_mwh=priced.where(~(rows["settlement_rrp"] >= 0), priced * 0),
        market_value_aud=rows["energy_mwh"] * rows["settlement_rrp"],
    )


# From leaf rows to buckets.


def _rolled_up(query: str, rows: pd.DataFrame, resolution: Resolution) -> pd.DataFrame:
    rows = rows.assign(interval_start=_bucket(rows["settlement_date"].to_numpy(), resolution))
    keys = ["interval_start", *KEYS[query]]
    table = _sums(rows, keys, MEASURES[query])
    if query == "capacity_factor":  # a unit is described as of its last interval in the bucket
        last = rows.groupby(keys, sort=False)[UNIT_FACTS].last(skipna=False).reset_index()
        table = table.merge(last, on=keys)
    return table


def _sums(rows: pd.DataFrame, keys: list[str], measures: list[str]) -> pd.DataFrame:
    """Rows added up by key: nulls are ignored, and a sum of nothing but nulls is null."""
    groups = rows.groupby(keys, sort=False)
    added = groups[[name for name in measures if name not in EXTREMES]].sum(min_count=1)
    for name in measures:
        if name in EXTREMES:
            added[name] = groups[name].agg(EXTREMES[name])
    return added.reset_index()


def _with_buckets(table: pd.DataFrame, covered: np.ndarray, resolution: Resolution) -> pd.DataFrame:
    """With each bucket's nominal end, its covered hours, and whether every one of its labels is covered."""
    starts, counts = np.unique(_bucket(covered, resolution), return_counts=True)
    ends = _bucket_end(starts, resolution)
    buckets = pd.DataFrame(
        {
            "interval_start": starts,
            "interval_end": ends,
            "complete": counts == (ends - starts) // np.timedelta64(5, "m"),
            "hours": counts * INTERVAL_HOURS,
        }
    )
    return table.merge(buckets, on="interval_start", how="left", validate="many_to_one")


def _generation_ratios(table: pd.DataFrame) -> pd.DataFrame:
    supplies = ~table["fueltech_id"].isin(LOADS)
    supply = table["energy_mwh"].where(supplies & (table["energy_mwh"] > 0))
    whole = supply.groupby([table["interval_start"], table["region_id"]]).transform("sum")
    return table.assign(
        mean_mw=table["energy_mwh"] / table["hours"],
        share=(table["energy_mwh"] / whole.where(whole > 0)).where(supplies),
        dwa_price=_ratio(table["market_value_aud"], table["priced_energy_mwh"]),
        negative_price_share=_ratio(table["negative_price_energy_mwh"], table["priced_energy_mwh"]),
    )


def _price_ratios(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(
        demand_mw=table["demand_mwh"] / table["hours"],
        twa_price=_ratio(table["rrp_sum"], table["interval_count"]),
        demand_weighted_price=_ratio(table["demand_value_aud"], table["priced_demand_mwh"]),
        negative_count=table["band_below_0_count"],
        negative_share=_ratio(table["band_below_0_count"], table["interval_count"]),
    )


def _capacity_ratios(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(
        mean_mw=table["energy_mwh"] / table["hours"],
        capacity_factor=_ratio(table["rated_energy_mwh"], table["potential_mwh"]),
        dwa_price=_ratio(table["market_value_aud"], table["priced_energy_mwh"]),
    )


def _flow_ratios(table: pd.DataFrame) -> pd.DataFrame:
    net = table["forward_mwh"] - table["reverse_mwh"]
    at_a_limit = table["at_forward_limit_count"] + table["at_reverse_limit_count"] - table["at_both_limits_count"]
    return table.assign(
        mean_mw=_ratio(net, table["reading_count"] * INTERVAL_HOURS),
        forward_utilisation=_ratio(table["rated_forward_mwh"], table["forward_limit_mwh"]),
        reverse_utilisation=_ratio(table["rated_reverse_mwh"], table["reverse_limit_mwh"]),
        at_limit_share=_ratio(at_a_limit, table["limit_count"]),
        missing_count=(table["hours"] / INTERVAL_HOURS).round() - table["reading_count"],
    )


_RATIOS_OF = {
    "generation_by_fuel": _generation_ratios,
    "regional_price": _price_ratios,
    "capacity_factor": _capacity_ratios,
    "interconnector_flow": _flow_ratios,
}


def _ratio(above: pd.Series, below: pd.Series) -> pd.Series:
    """Null where there is nothing positive to divide by."""
    return above / below.where(below > 0)


# Labels are numpy datetimes here; an interval starts five minutes before the label that closes it.


def _start(labels: np.ndarray) -> np.ndarray:
    return labels - np.timedelta64(5, "m")


def _grid(first: np.datetime64, last: np.datetime64) -> np.ndarray:
    return np.arange(first, last + np.timedelta64(1, "m"), np.timedelta64(5, "m")).astype("M8[us]")


def _bucket(labels: np.ndarray, resolution: Resolution) -> np.ndarray:
    """The start of the bucket each label falls in."""
    starts = _start(labels)
    if resolution == "1M":
        return starts.astype("M8[M]").astype("M8[us]")
    minutes = {"5min": 5, "30min": 30, "1h": 60, "1d": 1440}[resolution]
    since_midnight = starts - starts.astype("M8[D]")
    return starts - since_midnight % np.timedelta64(minutes, "m")


def _bucket_end(starts: np.ndarray, resolution: Resolution) -> np.ndarray:
    if resolution == "1M":
        return (starts.astype("M8[M]") + 1).astype("M8[us]")
    return starts + np.timedelta64({"5min": 5, "30min": 30, "1h": 60, "1d": 1440}[resolution], "m")


def _within(labels: np.ndarray, window: Window) -> np.ndarray:
    return labels[(labels > np.datetime64(window.start)) & (labels <= np.datetime64(window.end))]


def _within_rows(rows: pd.DataFrame, window: Window) -> pd.DataFrame:
    """The rows of the window; they stand in time order."""
    edges = [np.datetime64(window.start, "us"), np.datetime64(window.end, "us")]
    first, last = np.searchsorted(rows["settlement_date"].to_numpy(), edges, side="right")
    return rows.iloc[first:last]
