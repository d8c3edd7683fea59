"""AEMO's own sums, reached through our registry, and published figures, reached through the command."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

import cli
from nem.registry import bundled_registry
from tests.aemo_files import GOLDEN

TOLERANCE_MW = 0.005  # AEMO rounds its own sum to a hundredth

CLEARED = """
    SELECT label AS settlement_date, units.region_id, sum(CAST(TOTALCLEARED AS DOUBLE)) AS cleared_mw
    FROM (SELECT *, strptime(SETTLEMENTDATE, '%Y/%m/%d %H:%M:%S') AS label FROM dispatchload) AS dispatch
    JOIN units ON units.duid = dispatch.DUID AND label > units.effective_date AND label <= units.end_date
    WHERE units.dispatch_type <> 'LOAD'
    GROUP BY label, units.region_id
"""
DISPATCHABLE = """
    SELECT
        strptime(SETTLEMENTDATE, '%Y/%m/%d %H:%M:%S') AS settlement_date,
        REGIONID AS region_id,
        CAST(DISPATCHABLEGENERATION AS DOUBLE) AS dispatchable_mw
    FROM dispatchregionsum
"""


def test_units_cleared_add_up_to_aemos_dispatchable_generation():
    with duckdb.connect() as con:
        con.register("dispatchload", pq.read_table(GOLDEN / "DISPATCHLOAD_2022-01-01_0005-0400.parquet"))
        con.register("dispatchregionsum", pq.read_table(GOLDEN / "DISPATCHREGIONSUM_2022-01-01_0005-0400.parquet"))
        con.register("units", bundled_registry())
        cases = con.execute(
            f"SELECT cleared_mw - dispatchable_mw FROM ({CLEARED}) JOIN ({DISPATCHABLE}) USING (settlement_date, region_id)"  # noqa: S608
        ).fetchall()
    assert len(cases) == 240
    assert max(abs(error) for (error,) in cases) <= TOLERANCE_MW


# Published facts, from AEMO's PRICE_AND_DEMAND files read where they lie


@pytest.fixture
def prices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Callable[..., list[dict[str, str]]]:
    """What ``nemwarm query regional_price`` answers from AEMO's PRICE_AND_DEMAND files."""
    monkeypatch.setenv("NEMWARM_HOME", str(tmp_path))
    monkeypatch.setenv("NEMWARM_LAKE", str(GOLDEN / "price_and_demand"))

    def query(start: str, end: str, resolution: str, *more: str) -> list[dict[str, str]]:
        asked = ["query", "regional_price", "--start", start, "--end", end, "--resolution", resolution, *more]
        assert cli.main([*asked, "--format", "csv"]) == 0
        return list(csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode())))

    return query


@pytest.fixture(scope="module")
def facts() -> dict[str, dict[str, object]]:
    return {fact["id"]: fact for fact in json.loads((GOLDEN / "expected.json").read_text())["facts"]}


def test_half_hours_above_5000_dollars_of_the_second_quarter_of_2024(prices, facts):
    """The regulator's count: 19 in the market, 15 of them in NSW on 7 and 8 May."""
    high = [row for row in prices("2024-04-01", "2024-07-01", "30min") if float(row["twa_price"]) > 5_000]
    expected = facts["F1"]["expected"]
    assert len(high) == expected["nem_events_q2_2024"] == 19
    assert {"QLD1": 0, "SA1": 0, "VIC1": 0, **Counter(row["region_id"] for row in high)} == expected["by_region"]
    may = [
        row for row in high if row["region_id"] == "NSW1" and row["interval_start"][:10] in {"2024-05-07", "2024-05-08"}
    ]
    assert len(may) == expected["nsw1_2024-05-07_and_08"] == 15


def test_mean_prices_of_may_and_june_2024(prices, facts):
    rows = prices("2024-05-01", "2024-07-01", "1M")
    means = {(row["interval_start"][:7], row["region_id"]): float(row["twa_price"]) for row in rows}
    for month, regions in facts["F4"]["expected"].items():
        assert {region: round(means[month, region], 2) for region in regions} == regions
    for region, change in facts["F4"]["percent_change_on_may"].items():
        assert round(100 * (means["2024-06", region] / means["2024-05", region] - 1), 1) == change


def test_south_australia_and_tasmania_in_the_summer_of_2025(prices, facts):
    expected = facts["F5"]["expected"]
    rows = prices("2025-01-01", "2025-03-01", "1M", "--region", "SA1", "--region", "TAS1")
    means = {(row["interval_start"][:7], row["region_id"]): round(float(row["twa_price"]), 4) for row in rows}
    assert means["2025-01", "SA1"] == expected["sa1_mean_2025-01"]
    assert means["2025-02", "SA1"] == expected["sa1_mean_2025-02"]
    assert means["2025-02", "TAS1"] == expected["tas1_mean_2025-02"]
    days = prices("2025-02-01", "2025-02-13", "1d", "--region", "SA1")
    high = [row["interval_start"][:10] for row in days if float(row["rrp_max"]) > 1_000]
    assert high == expected["sa1_days_above_1000_in_2025-02-01_to_12"]
