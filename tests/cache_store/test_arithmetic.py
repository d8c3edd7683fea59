"""The arithmetic anybody can do in the head: what a unit of constant power gives and earns, at every resolution."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from cache_store import fetch, open_store
from cache_store.catalogue import CAPACITY_FACTOR
from cache_store.due import due
from cache_store.warm import warm
from nem import Window
from nem.lake import land, land_units
from nem.source import Source, open_source
from nem.windows import Resolution, utc_time

DAY = Window(datetime(2024, 3, 1), datetime(2024, 3, 2))
LABELS = [DAY.start + timedelta(minutes=5 * i) for i in range(1, 290)]  # the next day's first reading completes the day


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """STEADY at 100 MW and HALF at 50, both of NSW1, where the price is 50 $/MWh."""
    lake, units = tmp_path_factory.mktemp("constant") / "lake", {"STEADY": 100.0, "HALF": 50.0}
    facts = {"region_id": "NSW1", "fueltech_id": "gas_ccgt", "dispatch_type": "GENERATOR", "capacity_maximum_mw": 200.0}
    rows = [{"duid": duid, "effective_date": datetime(2020, 1, 1), **facts} for duid in units]
    land_units(lake, pa.Table.from_pylist(rows))
    readings = [
        {"settlement_date": label, "duid": duid, "scada_mw": power} for label in LABELS for duid, power in units.items()
    ]
    land(lake, "unit_scada", pa.Table.from_pylist(readings))
    prices = [{"settlement_date": label, "region_id": "NSW1", "rrp": 50.0} for label in LABELS[:288]]
    land(lake, "regional_price", pa.Table.from_pylist(prices))
    return open_source(lake)


# E2, E3: a factor of 6 between resolutions, or 0.04 % from 0.0833 h, would show here.
@pytest.mark.parametrize(
    ("resolution", "buckets", "energy_mwh", "earned_aud"),
    [("5min", 288, 100 / 12, 416.666_667), ("30min", 48, 50, 2_500), ("1h", 24, 100, 5_000), ("1d", 1, 2_400, 120_000)],
)
@pytest.mark.parametrize("warmed", [False, True], ids=["live", "warmed"])
def test_a_constant_unit_earns_what_it_must(
    source: Source,
    tmp_path: Path,
    resolution: Resolution,
    buckets: int,
    energy_mwh: float,
    earned_aud: float,
    *,
    warmed: bool,
) -> None:
    store, now = open_store(tmp_path), utc_time(DAY.end)
    if warmed:
        warm(store, source, CAPACITY_FACTOR, due(store, source, CAPACITY_FACTOR, now=now), now=now)
    filters = {"duid": ["STEADY", "HALF"]}
    rows = fetch(
        store, source, "capacity_factor", DAY, now=now, filters=filters, resolution=resolution
    ).table.to_pylist()
    steady, half = ([row for row in rows if row["duid"] == duid] for duid in ("STEADY", "HALF"))
    assert (len(steady), len(half)) == (buckets, buckets)
    for row in steady:
        assert row["energy_mwh"] == pytest.approx(energy_mwh, rel=1e-9)
        assert row["market_value_aud"] == pytest.approx(earned_aud, rel=1e-9)
        assert (row["mean_mw"], row["dwa_price"], row["capacity_factor"]) == pytest.approx((100, 50, 0.5))
    assert [row["energy_mwh"] for row in half] == pytest.approx([energy_mwh / 2] * buckets)  # 4.1667 MWh in 5 minutes
