"""A PostgreSQL of our own, in a temporary folder on the loopback, that keeps energy by fuel in a materialised view."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.measure import MissingRivalError, timed
from benchmarks.world import World
from nem.lake import UNITS_FILE
from nem.windows import Window

_ENERGY = """
    SELECT settlement_date AS interval_end, region_id,
        CASE WHEN fueltech_id <> 'battery' THEN fueltech_id
            WHEN mean_mw < 0 THEN 'battery_charging' ELSE 'battery_discharging' END AS fueltech_id,
        sum(abs(mean_mw)) * 5 / 60 AS energy_mwh
    FROM unit_scada JOIN units USING (duid) GROUP BY 1, 2, 3"""


class Postgres:
    """Refreshes by working the whole view out anew, as ``REFRESH MATERIALIZED VIEW`` does."""

    name = "PostgreSQL, materialised view"
    lands = True

    def __init__(self, world: World):
        self._programs = _programs()
        import psycopg

        # The server refuses to run as root, and its user must reach the folder.
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self._folder = Path(tempfile.mkdtemp(prefix="nemwarm-postgres-"))
        if self._as:
            shutil.chown(self._folder, "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._run("initdb", "-D", str(self._folder / "data"), "-A", "trust", "-U", "bench")
        settings = f"-c listen_addresses=127.0.0.1 -p {port} -k {self._folder} -c shared_buffers=512MB -c work_mem=64MB"
        self._run(
            "pg_ctl", "-D", str(self._folder / "data"), "-w", "-l", str(self._folder / "log"), "-o", settings, "start"
        )
        self._connection = psycopg.connect(f"host=127.0.0.1 port={port} user=bench dbname=postgres", autocommit=True)
        self._load(world)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self._programs / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def _load(self, world: World) -> None:
        self._connection.execute("CREATE TABLE units (duid text PRIMARY KEY, region_id text, fueltech_id text)")
        self._connection.execute(
            "CREATE TABLE unit_scada (settlement_date timestamp, duid text, mean_mw float8, "
            "PRIMARY KEY (settlement_date, duid))"
        )
        with duckdb.connect() as con:
            params = {"units": str(world.lake / UNITS_FILE), "scada": str(world.lake / "unit_scada" / "*.parquet")}
            for table, statement in (
                ("units", "SELECT duid, region_id, fueltech_id FROM read_parquet($units)"),
                (
                    "unit_scada",
                    "SELECT settlement_date, duid, mean_mw FROM read_parquet($scada) WHERE mean_mw IS NOT NULL",
                ),
            ):
                file = self._folder / f"{table}.csv"
                given = {name: value for name, value in params.items() if f"${name}" in statement}
                con.execute(f"COPY ({statement}) TO $file (FORMAT csv)", given | {"file": str(file)})
                with file.open() as rows, self._connection.cursor().copy(f"COPY {table} FROM STDIN CSV HEADER") as copy:
                    while chunk := rows.read(2**20):
                        copy.write(chunk)
                file.unlink()
        self._connection.execute(f"CREATE MATERIALIZED VIEW energy AS {_ENERGY}")
        self._connection.execute("ANALYZE")

    def tick(self, readings: pa.Table) -> float:
        """Upsert and refresh; ms."""
        rows = [tuple(row.values()) for row in readings.to_pylist() if row["mean_mw"] is not None]
        return timed(lambda: self._take_in(rows))

    def revise(self, _day: date, readings: pa.Table) -> float:
        """The same: a view knows no days."""
        return self.tick(readings)

    def _take_in(self, rows: list[tuple[object, ...]]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO unit_scada VALUES (%s, %s, %s) "
                "ON CONFLICT (settlement_date, duid) DO UPDATE SET mean_mw = excluded.mean_mw",
                rows,
            )
        self._connection.execute("REFRESH MATERIALIZED VIEW energy")

    def answer(self, window: Window) -> pa.Table:
        """The view's rows."""
        found = self._connection.execute(
            "SELECT * FROM energy WHERE interval_end > %s AND interval_end <= %s", (window.start, window.end)
        ).fetchall()
        columns = zip(*found, strict=True)
        return pa.table(dict(zip(("interval_end", "region_id", "fueltech_id", "energy_mwh"), columns, strict=True)))

    def close(self) -> None:
        """End the server and delete its folder."""
        self._connection.close()
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-m", "immediate", "stop")
        shutil.rmtree(self._folder)


def _programs() -> Path:
    """The folder of initdb and pg_ctl."""
    if not find_spec("psycopg"):
        raise MissingRivalError("psycopg is not installed")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(debian[-1]) if debian else None)
    if found is None:
        raise MissingRivalError("install it, on Debian and Ubuntu with `sudo apt-get install postgresql`")
    return Path(found).parent
