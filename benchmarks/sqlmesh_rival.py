"""SQLMesh on DuckDB keeping energy by fuel over the same lake, in a process and an environment of its own.

Its newest release needs older versions than ours of two libraries, so it cannot share our environment; `make bench`
makes one in ``.bench/sqlmesh``. This side speaks to that process by lines of JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from benchmarks.apart import PROJECT
from benchmarks.measure import MS, MissingRivalError
from benchmarks.world import END, World
from nem.windows import INTERVAL, Window

PYTHON = PROJECT / ".bench" / "sqlmesh" / "bin" / "python"


_SILENT = os.environ | {"SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "true"}


class SqlMesh:
    """An incremental model by five-minute intervals; a revised day is restated."""

    name = "SQLMesh, incremental by time"
    lands = False

    def __init__(self, world: World):
        if not PYTHON.exists():
            raise MissingRivalError("`make bench` installs it")
        self._folder = world.home / "sqlmesh"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        command = [str(PYTHON), str(Path(__file__).with_name("sqlmesh_process.py")), str(self._folder), str(world.lake)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_SILENT)
        self._newest = END
        self._tell("plan", start=str(world.last(world.days).start), end=str(END))

    def _tell(self, step: str, **facts: Any) -> float:
        """Have the process do ``step``; ms, as it measured them."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"step": step} | facts) + "\n")
        self._process.stdin.flush()
        reply = self._process.stdout.readline()
        if not reply:
            raise RuntimeError(f"SQLMesh ended during {step}")
        return float(json.loads(reply)["seconds"]) * MS

    def tick(self, readings: pa.Table) -> float:
        """Run what is missing up to the newest reading, which the lake has already; ms."""
        self._newest = max(time for time in readings["settlement_date"].to_pylist() if time)
        # Its intervals are named by their start, and a label is taken for one.
        return self._tell("run", end=str(self._newest + INTERVAL))

    def revise(self, day: date, _readings: pa.Table) -> float:
        """Restate the day; ms."""
        return self._tell("restate", day=str(day))

    def answer(self, window: Window) -> pa.Table:
        """The model's rows."""
        file = self._folder / "answer.parquet"
        self._tell("answer", start=str(window.start), end=str(window.end), file=str(file))
        with duckdb.connect() as con:
            return con.sql("FROM read_parquet($file)", params={"file": str(file)}).to_arrow_table()

    def close(self) -> None:
        """End the process and delete its folder."""
        self._process.communicate()
        shutil.rmtree(self._folder)
