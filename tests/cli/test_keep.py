"""``nemwarm warm --dry-run``, ``check``, ``gc`` and ``status``: what they find, mend and say."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import cli
from cache_store import CATALOGUE
from tests.cli import WEEK
from tests.prefect_here import descendants


def test_a_dry_run_of_warm_says_what_is_due_and_builds_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["warm", "--dry-run", "--query", "regional_price", "--start", "2017-11-03"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "regional_price       2017-11-04 missing",
        "regional_price       2017-11-03 missing",
        "2 due, 0 fresh",
    ]
    assert not (home / "store").exists()


def test_a_warming_told_to_end_takes_its_own_server_with_it(home: Path, tmp_path: Path) -> None:
    """Prefect's server of a run without one is a process of its own, which only an orderly end stops."""
    environment = {**os.environ, "NEMWARM_HOME": str(home), "PREFECT_HOME": str(tmp_path / "prefect")}
    command = [sys.executable, "-m", "cli", "warm", "--force"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as warming:
        assert warming.stderr is not None
        assert any("Task run" in line for line in warming.stderr)
        below = descendants(warming.pid)
        assert below
        warming.terminate()
        warming.communicate(timeout=60)
    assert warming.returncode == 128 + signal.SIGTERM
    assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]


def test_the_sample_has_no_flows_and_everything_but_they_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["warm", "--dry-run"]) == 0
    planned = capsys.readouterr().out.splitlines()
    assert [line for line in planned if line.startswith("interconnector_flow")] == [
        "interconnector_flow  no interconnector_flow in the source"
    ]
    days = Counter(line.split()[0] for line in planned[:-2])
    assert set(days) == set(CATALOGUE) - {"interconnector_flow"}
    assert set(days.values()) == {22}
    assert planned[-1] == f"{days.total()} due, 0 fresh"
    assert cli.main(["check"]) == 0
    capsys.readouterr()
    for command in ("query", "explain"):
        assert cli.main([command, "interconnector_flow", *WEEK]) == 3
        assert "has no interconnector_flow: land some with `nemwarm ingest`" in capsys.readouterr().err


def test_check_finds_and_mends_and_gc_collects(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEMWARM_READ_THROUGH", "true")
    asked = [sys.executable, "-m", "cli", "query", "regional_price", *WEEK, "--resolution", "1d"]
    subprocess.run(asked, capture_output=True, check=True)
    assert cli.main(["check"]) == 0
    broken = next((home / "store").glob("regional_price/*/1d/2017-10-15.*.parquet"))
    broken.write_bytes(broken.read_bytes()[:100])
    assert cli.main(["check"]) == 1
    assert "resized      regional_price" in capsys.readouterr().out
    assert cli.main(["check", "--repair"]) == 0
    assert "rebuilt      regional_price 2017-10-15" in capsys.readouterr().out
    assert cli.main(["check"]) == 0
    (home / "store" / "manifest.json").write_text("{")
    assert cli.main(["check"]) == 3
    assert cli.main(["check", "--repair"]) == 0
    assert "manifest rebuilt from footers: 21 partitions" in capsys.readouterr().out
    assert cli.main(["gc", "--dry-run"]) == 0
    # What was replaced a moment ago may still be read: it stays for its grace.
    assert "0 partitions and 0 files would go" in capsys.readouterr().out


def test_what_could_not_be_rebuilt_is_not_called_mended(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = home / "own"
    shutil.copytree(home / "lake", lake)
    monkeypatch.setenv("NEMWARM_LAKE", str(lake))
    monkeypatch.setenv("NEMWARM_READ_THROUGH", "true")
    asked = [sys.executable, "-m", "cli", "query", "regional_price", *WEEK, "--resolution", "1d"]
    subprocess.run(asked, capture_output=True, check=True)
    for day in ("15", "16"):
        broken = next((home / "store").glob(f"regional_price/*/1d/2017-10-{day}.*.parquet"))
        broken.write_bytes(broken.read_bytes()[:100])
    (lake / "regional_price" / "2017-10-16.parquet").write_bytes(b"no Parquet")
    capsys.readouterr()
    assert cli.main(["check", "--repair", "--sample", "0"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[-3:-1] == ["rebuilt      regional_price 2017-10-15", "not rebuilt  regional_price 2017-10-16"]
    assert told[-1].endswith("partitions published, 2 wrong, of which 1 not rebuilt")


def test_a_manifest_of_another_version_is_not_repaired(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = home / "store" / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text('{"version": 9, "generation": 1, "entries": []}')
    assert cli.main(["check", "--repair"]) == 3
    assert "has format 9" in capsys.readouterr().err
    assert json.loads(manifest.read_text())["version"] == 9


def test_status_names_every_query_and_grain(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = told["series"]
    assert [(row["query"], row["grain"]) for row in rows][:3] == [
        ("generation_by_fuel", "5min"),
        ("generation_by_fuel", "30min"),
        ("generation_by_fuel", "1d"),
    ]
    assert {row["partitions"] for row in rows} == {0}
    assert told["feeds"] == []
    assert told["tables"][1] == {
        "table": "regional_price",
        "data_through": "2017-11-05T00:00:00+10:00",
        "lag_minutes": 0.0,  # the sample replays its past
    }
