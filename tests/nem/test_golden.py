"""AEMO's own sums, reached through our registry: 2022-01-01 00:05 to 04:00, every unit, region and interval."""

from __future__ import annotations

import json

import duckdb
import pyarrow.parquet as pq

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


def test_the_expected_sums_are_aemos():
    expected = json.loads((GOLDEN / "expected.json").read_text())["dispatch_2022-01-01"]["expected"]
    assert len(expected) == 240
    assert all(
        abs(case["sum_total_cleared_mw"] - case["dispatchable_generation_mw"]) <= TOLERANCE_MW for case in expected
    )
