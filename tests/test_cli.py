"""The console script: what it prints, what it exits with, what it imports."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import cli
from cache_store import CATALOGUE, find_query, materialise, open_store
from cache_store.build import publish_entries
from cache_store.usage import Shape, Tally
from nem.lake import land
from nem.source import open_source
from nem.windows import Window
from tests.cache_store.flows import made_flows

WEEK = ["--start", "2017-10-14", "--end", "2017-10-21"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation that has landed the sample and warmed nothing."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEMWARM_HOME", str(home))
        assert cli.main(["ingest", "--sample"]) == 0
    return home


@pytest.fixture(autouse=True)
def _installation(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEMWARM_HOME", str(home))
    monkeypatch.setenv("NEMWARM_READ_THROUGH", "false")  # what one test asks must not be there for the next


def rows_of(capsysbinary: pytest.CaptureFixture[bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode())))


def test_a_day_of_brown_coal_as_csv(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    capsysbinary.readouterr()
    arguments = ["generation_by_fuel", *WEEK, "--region", "VIC1", "--fueltech", "coal_brown"]
    assert cli.main(["query", *arguments, "--resolution", "1d", "--format", "csv"]) == 0
    rows = rows_of(capsysbinary)
    assert len(rows) == 7
    # T2: a naive time in a file would be read as local.
    assert rows[0]["interval_start"] == "2017-10-14T00:00:00+10:00"
    assert rows[0]["interval_end"] == "2017-10-15T00:00:00+10:00"
    assert {row["region_id"] for row in rows} == {"VIC1"}
    assert all(float(row["mean_mw"]) * 24 == pytest.approx(float(row["energy_mwh"])) for row in rows)


def test_the_receipt_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["query", "regional_price", *WEEK, "--region", "SA1", "--resolution", "1d"]) == 0
    printed = capsys.readouterr()
    assert "regional_price" not in printed.out
    assert "7 rows · live · data to 2017-10-21 00:00 NEM" in printed.err
    assert "DEMAND_AND_NONSCHEDGEN" in printed.err
    assert "Source: AEMO" in printed.err


def test_json_carries_rows_receipt_and_zone(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    capsysbinary.readouterr()
    cli.main(["query", "regional_price", *WEEK, "--region", "NEM", "--resolution", "1d", "--format", "json"])
    document = json.loads(capsysbinary.readouterr().out)
    assert len(document["rows"]) == 7
    assert document["receipt"]["segments"][0]["reason"] == "range_gap"
    assert document["time_zone"].startswith("NEM time")
    assert document["rows"][0]["twa_price"] is None  # J13: no region's price is the NEM's
    assert document["rows"][0]["demand_weighted_price"] > 0


def test_parquet_opens_elsewhere(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    capsysbinary.readouterr()
    arguments = ["capacity_factor", *WEEK, "--duid", "BAYSWATER", "--resolution", "1d", "--format", "parquet"]
    cli.main(["query", *arguments])
    table = pq.read_table(io.BytesIO(capsysbinary.readouterr().out))
    assert table["duid"].to_pylist() == ["BAYSWATER"] * 7
    assert table.schema.metadata[b"attribution"] == b"Source: AEMO"


def test_one_interconnector_of_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("NEMWARM_HOME", str(tmp_path))
    land(tmp_path / "lake", "interconnector_flow", made_flows(Window(datetime(2017, 10, 14), datetime(2017, 10, 21))))
    arguments = ["interconnector_flow", *WEEK, "--resolution", "1d", "--format", "csv"]
    named = ["--interconnector", "v-sa"]
    found = []
    for chosen in ([], named, [*named, "--interconnector", "NEW-LINK1"]):
        assert cli.main(["query", *arguments, *chosen]) == 0
        found.append([row["interconnector_id"] for row in rows_of(capsysbinary)])
    assert found == [["NEW-LINK1", "V-SA"] * 7, ["V-SA"] * 7, ["NEW-LINK1", "V-SA"] * 7]


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


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["query", "nope", *WEEK], 2, "there is no query 'nope'"),
        (["query", "regional_price", *WEEK, "--region", "NSW"], 2, "there is no region_id 'NSW'"),
        (["query", "regional_price", *WEEK, "--resolution", "7min"], 2, "there is no resolution '7min'"),
        (["query", "regional_price", *WEEK, "--duid", "BW01"], 2, "cannot be filtered by duid"),
        (["query", "regional_price", *WEEK, "--interconnector", "V-SA"], 2, "filtered by interconnector_id"),
        (["query", "regional_price", *WEEK, "--origin", "moon"], 2, "there is no origin 'moon'"),
        (["query", "regional_price", "--start", "2017-10-21", "--end", "2017-10-14"], 2, "holds no interval"),
        (["query", "regional_price", "--start", "2017-10-21", "--end", "2017-10-21"], 2, "holds no interval"),
        (["query", "regional_price", "--start", "2017-10-14T00:01", "--end", "2017-10-21"], 2, "5-minute grid"),
        (["query", "regional_price", "--start", "2017-10-14T00:00+11:00", "--end", "2017-10-21"], 2, "time zone"),
        (["query", "regional_price", "--start", "last week", "--end", "2017-10-21"], 2, "is not a date"),
        (["query", "regional_price", "--start", "2017-10-14", "--end", "9999-01-01"], 2, "outside"),
        (["query", "regional_price", "--start", "2018-10-14", "--end", "2018-10-21"], 3, "nothing is held there"),
        (["query", "regional_price", *WEEK, "--origin", "cache"], 3, "run `nemwarm warm`"),
        (["explain", "regional_price", "--start", "x", "--end", "y"], 2, "is not a date"),
    ],
)
def test_a_bad_request_is_one_line_and_an_exit_code(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert words in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["query"], ["query", "regional_price"], ["ingest", "--sample", "--from", "x"]]
)
def test_bad_usage_is_one_line_and_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_without_a_lake_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEMWARM_HOME", str(tmp_path / "nowhere"))
    assert cli.main(["query", "regional_price", *WEEK]) == 3
    printed = capsys.readouterr()
    assert "nemwarm ingest" in printed.err
    assert printed.err.count("\n") == 1
    assert cli.main(["status"]) == 0


def test_a_bad_setting_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("NEMWARM_PORT", "harbour")
    assert cli.main(["status"]) == 2  # O2
    assert "port" in capsys.readouterr().err


def test_explain_prints_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "capacity_factor", *WEEK, "--resolution", "5min"]) == 0
    assert capsys.readouterr().out == (
        "(2017-10-14T00:00, 2017-10-21T00:00]  live   grain_not_stored     5min\n"
        "0 files, 0 rows, 0.0 MB; no reader has yet been timed at it\n"
    )


def test_explain_says_what_each_segment_reads_and_takes(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEMWARM_STORE", str(tmp_path))
    store, source, query = open_store(tmp_path), open_source(home / "lake"), find_query("regional_price")
    entries = materialise(store, source, query, "2017-10-14", now=source.replay_now())
    publish_entries(store, entries)
    shape = Shape(query.name, "1d", 7, 0, ())
    pace = Tally(3, 1, 2.4, 2.9, live_hours=48.0, read_rows=1_000, read_seconds=0.5)  # 50 ms an hour, 0.5 ms a row
    (tmp_path / "usage").mkdir()
    (tmp_path / "usage" / "one.json").write_text(json.dumps([asdict(shape) | asdict(pace)]))
    asked = ["explain", query.name, "--start", "2017-10-14", "--end", "2017-10-16", "--resolution", "1d"]
    assert cli.main(asked) == 0
    first, second, total = capsys.readouterr().out.splitlines()
    assert first.split()[-4:] == ["5", "rows", "2.5", "ms"]  # five regions
    assert second.split()[-3:] == ["5min", "1,200.0", "ms"]
    assert total == f"1 files, 5 rows, {entries[-1].byte_count / 1e6:.1f} MB; about 1,202.5 ms"
    assert cli.main([*asked, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["segments"]
    assert [(one["rows"], one["bytes"], one["estimated_ms"]) for one in told] == [
        (5, entries[-1].byte_count, pytest.approx(2.5)),
        (None, None, pytest.approx(1_200)),
    ]
    assert cli.main(["warm", "--dry-run", "--query", query.name, "--start", "2017-10-15", "--end", "2017-10-16"]) == 0
    due, _ = capsys.readouterr().out.splitlines()
    byte_count = sum(entry.byte_count for entry in entries)
    assert due.split() == [query.name, "2017-10-15", "missing", *f"about 1,200 ms, {byte_count / 1e6:.1f} MB".split()]


def test_what_was_answered_live_is_answered_from_partitions_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEMWARM_STORE", str(tmp_path))
    monkeypatch.setenv("NEMWARM_READ_THROUGH", "true")
    asked = [sys.executable, "-m", "cli", "query", "regional_price", *WEEK, "--resolution", "1d"]
    receipts = [subprocess.run(asked, capture_output=True, text=True, check=True).stderr for _ in range(2)]
    assert "35 rows · live" in receipts[0]
    assert "35 rows · cache" in receipts[1]


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


@pytest.mark.parametrize(
    "command",
    [["--help"], ["status"], ["query", "regional_price", *WEEK], ["warm", "--query", "nope"], ["warm", "--dry-run"]],
)
def test_no_command_that_only_reads_imports_prefect_or_panel(command: list[str]) -> None:
    script = (
        "import sys, cli\n"
        "try: cli.main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(*sorted({'prefect', 'panel', 'bokeh', 'pandas'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stderr.splitlines()[-1] == ""


def test_help_waits_for_no_library() -> None:
    script = "import sys, cli\ntry: cli.main(['--help'])\nfinally: print({'duckdb', 'pyarrow'} & set(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "set()\n"


def test_a_dry_run_of_warm_says_what_is_due_and_builds_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["warm", "--dry-run", "--query", "regional_price", "--start", "2017-11-03"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "regional_price       2017-11-04 missing",
        "regional_price       2017-11-03 missing",
        "2 due, 0 fresh",
    ]
    assert not (home / "store").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--query", "nope"], "there is no query 'nope'"),
        (["--start", "2017-10-21", "--end", "2017-10-14"], "holds no interval"),
    ],
)
def test_a_bad_warm_is_refused(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["warm", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_check_finds_and_mends_and_gc_collects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEMWARM_STORE", str(tmp_path))
    monkeypatch.setenv("NEMWARM_READ_THROUGH", "true")
    asked = [sys.executable, "-m", "cli", "query", "regional_price", *WEEK, "--resolution", "1d"]
    subprocess.run(asked, capture_output=True, check=True)
    assert cli.main(["check"]) == 0
    broken = next(tmp_path.glob("regional_price/*/1d/2017-10-15.*.parquet"))
    broken.write_bytes(broken.read_bytes()[:100])
    assert cli.main(["check"]) == 1
    assert "resized      regional_price" in capsys.readouterr().out
    assert cli.main(["check", "--repair"]) == 0
    assert "rebuilt      regional_price 2017-10-15" in capsys.readouterr().out
    assert cli.main(["check"]) == 0
    (tmp_path / "manifest.json").write_text("{")
    assert cli.main(["check"]) == 3
    assert cli.main(["check", "--repair"]) == 0
    assert "manifest rebuilt from footers: 21 partitions" in capsys.readouterr().out
    assert cli.main(["gc", "--dry-run"]) == 0
    # What was replaced a moment ago may still be read: it stays for its grace.
    assert "0 partitions and 0 files would go" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("NEMWARM_PORT", "70000", "port"),
        ("NEMWARM_MEMORY_BYTES", "-1", "memory_bytes"),
        ("NEMWARM_HOME", "~nobody-of-that-name/x", "home"),
    ],
)
def test_a_setting_out_of_bounds_is_one_line(
    name: str, value: str, word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert cli.main(["status"]) == 2
    assert word in (said := capsys.readouterr().err)
    assert said.count("\n") == 1


@pytest.mark.parametrize("home", ["/dev/null/x", "/tmp/" + "x" * 300])
def test_a_home_that_cannot_be_is_one_line(
    home: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEMWARM_HOME", home)
    assert cli.main(["query", "regional_price", *WEEK]) == 3
    assert cli.main(["ingest", "--sample"]) == 3
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["serve", "--port", "70000"], ["check", "--sample", "-1"], ["gc", "--quota-mb", "-5"], ["warm", "--asked", "0"]],
)
def test_numbers_out_of_bounds_are_bad_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_manifest_of_another_version_is_not_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEMWARM_STORE", str(tmp_path))
    (tmp_path / "manifest.json").write_text('{"version": 9, "generation": 1, "entries": []}')
    assert cli.main(["check", "--repair"]) == 3
    assert "has format 9" in capsys.readouterr().err
    assert json.loads((tmp_path / "manifest.json").read_text())["version"] == 9


WITHOUT_FLOWS = """
import sys
for absent in ("prefect", "fastapi", "sqlalchemy", "prefect_dask", "dask", "distributed"):
    sys.modules[absent] = None
import cli, dashboard.app, dashboard.page, cli.serve
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize(("command", "code"), [(["status"], 0), (["warm", "--dry-run"], 0), (["warm"], 2)])
def test_readers_do_without_prefect_and_what_needs_it_says_which_extra(command: list[str], code: int) -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_FLOWS, *command], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert ("pip install 'nemwarm[flows]'" in done.stderr) == (code == 2)
