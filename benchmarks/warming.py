"""Warming all history from nothing, and landing a month of AEMO's CSV: time, peak memory, bytes on disk."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb

from benchmarks.apart import apart
from benchmarks.generate import UNITS
from benchmarks.measure import MS, Row, check
from benchmarks.world import Size, World, byte_count, warm_all
from cache_store import CATALOGUE, open_store
from nem.landing import land_files
from nem.source import open_source

MONTH, LANDED_DAYS = datetime(2026, 10, 1), 31
_HEADER = "I,DISPATCH,UNIT_SCADA,1,SETTLEMENTDATE,DUID,SCADAVALUE,LASTCHANGED\n"
_ROWS = """COPY (
    SELECT 'D', 'DISPATCH', 'UNIT_SCADA', 1, strftime(settlement_date, '%Y/%m/%d %H:%M:%S'), duid, scada_mw,
        strftime(settlement_date, '%Y/%m/%d %H:%M:%S')
    FROM read_parquet($files) ORDER BY settlement_date, duid
) TO $file (FORMAT csv, HEADER false)"""


def run(world: World, size: Size) -> Iterator[Row]:
    """The world's store made anew; then, of a month and more, the landing."""
    shutil.rmtree(world.store.root, ignore_errors=True)
    ms, peak_mb = apart(warm_here, world.lake, world.store.root)
    case = f"warm {world.days} d of {UNITS} units from nothing"
    yield Row(f"{case}, a year of it", "one process", ms / MS * 365 / world.days, "s", budget="warm")
    yield Row(f"{case}: peak memory", "one process", peak_mb, "MB", budget="peak")
    lake, store = byte_count(world.lake) / 1e6, byte_count(world.store.root) / 1e6
    yield Row(f"bytes on disk, {world.days} d", "store", store, "MB", rival="the lake", theirs=lake)
    for query in CATALOGUE.values():
        for grain in query.grains:
            held = byte_count(world.store.root / query.name / query.fingerprint / grain) / 1e6
            yield Row(f"bytes on disk, {world.days} d: {query.name} at {grain}", "store", held, "MB")
    if size.is_full:
        month = _month_of_aemo(world)
        ms, peak_mb = apart(land_here, month, world.home / "landed")
        case = f"land a month of {UNITS} units from AEMO's CSV, {288 * LANDED_DAYS * UNITS / 1e6:.1f} million rows"
        yield Row(case, "one process", ms / MS, "s", note=f"{month.stat().st_size / 1e6:.0f} MB zipped")
        yield Row(f"{case}: peak memory", "one process", peak_mb, "MB", budget="peak")
        month.unlink()


def warm_here(lake: str, root: str) -> None:
    """All of a lake into a store."""
    warm_all(open_source(Path(lake)), open_store(Path(root)))


def land_here(month: str, lake: str) -> None:
    """One file of AEMO's into an empty lake."""
    shutil.rmtree(lake, ignore_errors=True)
    landing = land_files(Path(lake), [Path(month)])
    check(len(landing.days["unit_scada"]) == LANDED_DAYS, f"landed {landing.days}, refused {landing.refused}")


def _month_of_aemo(world: World) -> Path:
    """October's generated readings in AEMO's format: a zip of one CSV."""
    path = world.home / f"PUBLIC_ARCHIVE%23DISPATCH_UNIT_SCADA%23FILE01%23{MONTH:%Y%m}010000.zip"
    rows = path.with_suffix(".csv")
    files = [str(file) for file in sorted((world.lake / "unit_scada").glob(f"{MONTH:%Y-%m}-*.parquet"))]
    with duckdb.connect() as con:
        con.execute(_ROWS, {"files": files, "file": str(rows)})
    zipped = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with zipped, zipped.open(f"{path.stem}.CSV", "w") as out, rows.open("rb") as body:
        out.write(b"C,SETP.WORLD,DVD_DISPATCH_UNIT_SCADA,AEMO,PUBLIC,2026/11/08,12:00:00,0000000512000000,,\n")
        out.write(_HEADER.encode())
        shutil.copyfileobj(body, out, 2**20)
        out.write(f'C,"END OF REPORT",{288 * LANDED_DAYS * UNITS + 3}\n'.encode())
    rows.unlink()
    return path
