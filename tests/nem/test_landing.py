"""Files into the lake: what landed, what was refused, and that the one never stops the other."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from nem.landing import land_files
from tests.aemo_files import DATA, REGISTRY

CURRENT = DATA / "aemo" / "Reports" / "CURRENT"
DISPATCHIS = CURRENT / "DispatchIS_Reports" / "PUBLIC_DISPATCHIS_202508201810_0000000477155219.zip"
SCADA = CURRENT / "Dispatch_SCADA" / "PUBLIC_DISPATCHSCADA_202109021255_0000000348376188.zip"


def test_a_refused_file_stops_no_other(tmp_path: Path):
    broken = tmp_path / "PUBLIC_DISPATCHSCADA_202109021300_0000000348376189.zip"
    broken.write_bytes(SCADA.read_bytes()[:-100])
    landing = land_files(tmp_path / "lake", [broken, SCADA, DISPATCHIS])
    assert landing.landed == (SCADA.name, DISPATCHIS.name)
    assert [rejected.name for rejected in landing.rejected] == [broken.name]
    assert landing.days["unit_scada"] == [date(2021, 9, 2)]
    assert landing.days["regional_price"] == [date(2025, 8, 20)]
    assert landing.row_counts["DISPATCH.UNIT_SCADA"] == 390


def test_landing_again_changes_no_day(tmp_path: Path):
    land_files(tmp_path, [SCADA])
    assert not any(land_files(tmp_path, [SCADA]).days.values())


def test_a_workbook_lands_as_the_registry(tmp_path: Path):
    workbook = REGISTRY / "NEM-Registration-and-Exemption-List_2026-03.xlsx"
    assert land_files(tmp_path, [workbook]).landed == (workbook.name,)
    assert pq.read_table(tmp_path / "units.parquet").num_rows > 700
