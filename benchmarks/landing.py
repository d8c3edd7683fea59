"""``python -m benchmarks.landing``: land a month of every unit's readings, from AEMO's CSV format, zipped.

A process of its own lands it, so that its peak memory is the landing's alone.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from nem.registry import bundled_registry

MONTH, DAYS, UNITS = datetime(2026, 3, 1), 31, 504  # as DISPATCH_UNIT_SCADA of 2026-03: 4.50 million rows
HEADER = "I,DISPATCH,UNIT_SCADA,1,SETTLEMENTDATE,DUID,SCADAVALUE,LASTCHANGED\n"


def write_month(folder: Path, *, days: int = DAYS, units: int = UNITS) -> Path:
    """A zip of one CSV, its values none of AEMO's, kept if it is there; 45 MB that unpack to 330."""
    path = folder / f"PUBLIC_ARCHIVE%23DISPATCH_UNIT_SCADA%23FILE01%23{MONTH:%Y%m%d%H%M}.zip"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    duids = sorted(set(bundled_registry()["duid"].to_pylist()))[:units]
    noise = np.random.default_rng(1)
    power = noise.uniform(0, 400, len(duids))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(f"{path.stem}.CSV", "w") as out:
        out.write(b"C,SETP.WORLD,DVD_DISPATCH_UNIT_SCADA,AEMO,PUBLIC,2026/04/08,12:00:00,0000000512000000,,\n")
        out.write(HEADER.encode())
        for step in range(1, 288 * days + 1):
            label = MONTH + timedelta(minutes=5 * step)
            power = np.clip(power + noise.normal(0, 3, len(duids)), -1, 700)
            stamps = f"{label:%Y/%m/%d %H:%M:%S}", f"{label - timedelta(minutes=5):%Y/%m/%d %H:%M:%S}"
            lines = (
                f'D,DISPATCH,UNIT_SCADA,1,"{stamps[0]}",{duid},{mw:.5f},"{stamps[1]}"\n'
                for duid, mw in zip(duids, power.tolist(), strict=True)
            )
            out.write("".join(lines).encode())
        out.write(f'C,"END OF REPORT",{288 * days * len(duids) + 3}\n'.encode())
    return path


def land_month(path: Path, lake: Path) -> None:
    """Land it here and now, and print rows, seconds and peak memory."""
    from nem.landing import land_files

    start = time.perf_counter()
    landing = land_files(lake, [path])
    seconds = time.perf_counter() - start
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = sum(landing.row_counts.values())
    print(f"{rows:,} rows in {len(landing.days['unit_scada'])} days: {seconds:.1f} s, peak {peak_mb:.0f} MB")


def main() -> None:
    """Write the month once, land it in a fresh lake."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.landing", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(".bench"), help="where the generated file is kept")
    parser.add_argument("--land", type=Path, nargs=2, metavar=("FILE", "LAKE"), help="only land this file there")
    asked = parser.parse_args()
    if asked.land:
        land_month(*asked.land)
        return
    path = write_month(asked.home / "aemo")
    with tempfile.TemporaryDirectory() as lake:
        subprocess.run([sys.executable, "-m", "benchmarks.landing", "--land", str(path), lake], check=True)


if __name__ == "__main__":
    main()
