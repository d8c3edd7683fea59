"""``nemwarm query`` and ``explain``: what they print."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import cli
from cache_store import find_query, materialise, open_store
from cache_store.build import publish_entries
from cache_store.usage import Shape, Tally
from nem.lake import land
from nem.source import open_source
from nem.windows import Window
from tests.cache_store.flows import made_flows
from tests.cli import WEEK


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


def test_only_the_measures_wanted_are_printed(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    arguments = ["regional_price", *WEEK, "--region", "SA1", "--resolution", "1d", "--measure", "twa_price"]
    cli.main(["query", *arguments, "--measure", "rrp_max", "--format", "csv"])
    measures = {"rrp_sum", "interval_count", "rrp_max", "twa_price"}  # what the ratio is made of, too
    assert set(rows_of(capsysbinary)[0]) == {"interval_start", "interval_end", "complete", "region_id", *measures}


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
    monkeypatch.setenv("NEMWARM_LAKE", str(tmp_path / "other"))
    land(tmp_path / "other", "interconnector_flow", made_flows(Window(datetime(2017, 10, 14), datetime(2017, 10, 21))))
    arguments = ["interconnector_flow", *WEEK, "--resolution", "1d", "--format", "csv"]
    named = ["--interconnector", "v-sa"]
    found = []
    for chosen in ([], named, [*named, "--interconnector", "NEW-LINK1"]):
        assert cli.main(["query", *arguments, *chosen]) == 0
        found.append([row["interconnector_id"] for row in rows_of(capsysbinary)])
    assert found == [["NEW-LINK1", "V-SA"] * 7, ["V-SA"] * 7, ["NEW-LINK1", "V-SA"] * 7]


def test_explain_prints_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "capacity_factor", *WEEK, "--resolution", "5min"]) == 0
    assert capsys.readouterr().out == (
        "(2017-10-14T00:00, 2017-10-21T00:00]  live   grain_not_stored     5min\n"
        "0 files, 0 rows, 0.0 MB; no reader has yet been timed at it\n"
    )


def test_explain_says_what_each_segment_reads_and_takes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, query = home / "store", find_query("regional_price")
    store, source = open_store(root), open_source(home / "lake")
    entries = materialise(store, source, query, "2017-10-14", now=source.now())
    publish_entries(store, entries)
    shape = Shape(query.name, "1d", 7, 0, ())
    pace = Tally(3, 1, 2.4, 2.9, live_hours=48.0, read_rows=1_000, read_seconds=0.5)  # 50 ms an hour, 0.5 ms a row
    (root / "usage").mkdir()
    (root / "usage" / "one.json").write_text(json.dumps([asdict(shape) | asdict(pace)]))
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


def test_what_was_answered_live_is_answered_from_partitions_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEMWARM_READ_THROUGH", "true")
    asked = [sys.executable, "-m", "cli", "query", "regional_price", *WEEK, "--resolution", "1d"]
    receipts = [subprocess.run(asked, capture_output=True, text=True, check=True).stderr for _ in range(2)]
    assert "35 rows · live" in receipts[0]
    assert "35 rows · cache" in receipts[1]
