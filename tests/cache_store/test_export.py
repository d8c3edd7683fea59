"""An answer as a file: every row, its zone written out, and the same numbers in every form."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cache_store import CATALOGUE
from cache_store.export import export
from cache_store.settings import Settings
from tests.tiny_nem import LEAP_DAY

QUERIES = list(CATALOGUE)


@pytest.fixture(params=QUERIES)
def answer(request, tiny_world):
    return tiny_world.fetch(request.param, LEAP_DAY, resolution="1h")


# T2: naive times would be read as local, and a Z as London's.
def test_times_outside_parquet_carry_the_zone(answer):
    rows = json.loads(export(answer, "json"))["rows"]
    lines = list(csv.DictReader(io.StringIO(export(answer, "csv").decode())))
    for found in (rows, lines):
        assert found[0]["interval_start"] == "2024-02-29T00:00:00+10:00"
        assert found[-1]["interval_end"] == "2024-03-01T00:00:00+10:00"
    assert "Z" not in {rows[0]["interval_start"][-1], lines[0]["interval_start"][-1]}


# P7
def test_every_form_holds_every_row_and_number(answer):
    right = answer.table.to_pylist()
    stored = pq.read_table(io.BytesIO(export(answer, "parquet")))
    assert stored.to_pylist() == right
    rows = json.loads(export(answer, "json"))["rows"]
    lines = list(csv.DictReader(io.StringIO(export(answer, "csv").decode())))
    assert list(rows[0]) == list(lines[0]) == answer.table.column_names
    for name, kind in zip(answer.table.schema.names, answer.table.schema.types, strict=True):
        values = [row[name] for row in right]
        if pa.types.is_floating(kind):
            assert [row[name] for row in rows] == values
            assert [float(line[name]) if line[name] else None for line in lines] == values
        elif not pa.types.is_timestamp(kind):
            assert [row[name] for row in rows] == values
            assert [line[name].lower() for line in lines] == [str(value).lower() for value in values]


# C4: what is unknown is null in JSON, which knows no NaN.
def test_json_is_json(answer):
    document = json.loads(export(answer, "json"), parse_constant=pytest.fail)
    assert document["time_zone"] == "NEM time, UTC+10 all year"
    assert document["attribution"] == "Source: AEMO"
    receipt = document["receipt"]
    assert (receipt["query"], receipt["resolution"], receipt["coverage"]) == (answer.receipt.query, "1h", 1)
    assert (receipt["start"], receipt["end"]) == ("2024-02-29T00:00:00+10:00", "2024-03-01T00:00:00+10:00")
    assert receipt["segments"][0]["origin"] == "cache"


def test_the_footer_of_a_parquet_file_says_where_it_is_from(answer):
    said = pq.read_metadata(io.BytesIO(export(answer, "parquet"))).metadata
    assert said[b"attribution"] == b"Source: AEMO"
    assert said[b"time_zone"] == b"NEM time, UTC+10 all year"
    assert json.loads(said[b"query"]) == answer.receipt.query


ANSWERS = """
import sys, tempfile
from pathlib import Path
from cache_store import CATALOGUE, fetch, materialise, open_store
from cache_store.export import export
from cache_store.build import publish_entries
from nem.windows import utc_time
from tests.tiny_nem import WINDOW, land_raw, raw_tables
with tempfile.TemporaryDirectory() as folder:
    source, store, now = land_raw(Path(folder) / "lake", raw_tables()), open_store(Path(folder) / "store"), utc_time(WINDOW.end)
    for query in CATALOGUE.values():
        publish_entries(store, [e for d in ("2024-02-29", "2024-03-01") for e in materialise(store, source, query, d, now=now)])
        for origin in ("cache", "live"):
            table = fetch(store, source, query.name, WINDOW, now=now, resolution="1d", origin=origin)
            sys.stdout.buffer.write(export(table, "csv"))
    for entry in store.manifest().entries:
        print(entry.query, entry.grain, entry.period, entry.covers, entry.freshness.expires_at)
"""


# T1: landed, built, read and written out under another clock, every number is the same.
def test_the_hosts_time_zone_changes_no_answer():
    written = {
        zone: subprocess.run(
            [sys.executable, "-c", ANSWERS], env={**os.environ, "TZ": zone}, capture_output=True, check=True
        ).stdout
        for zone in ("UTC", "Australia/Sydney")
    }
    utc, sydney = (list(csv.reader(io.StringIO(text.decode()))) for text in written.values())
    assert len(utc) == len(sydney) > 50
    for one, other in zip(utc, sydney, strict=True):
        for a, b in zip(one, other, strict=True):
            assert a == b or float(a) == pytest.approx(float(b), rel=1e-9)


# O2


def test_lake_and_store_are_folders_of_home(monkeypatch, tmp_path):
    monkeypatch.setenv("NEMWARM_HOME", str(tmp_path))
    monkeypatch.delenv("NEMWARM_LAKE", raising=False)
    monkeypatch.delenv("NEMWARM_STORE", raising=False)
    settings = Settings()
    assert (settings.lake, settings.store) == (tmp_path / "lake", tmp_path / "store")
    monkeypatch.setenv("NEMWARM_LAKE", str(tmp_path / "elsewhere"))
    assert (Settings().lake, Settings().store) == (tmp_path / "elsewhere", tmp_path / "store")


@pytest.mark.parametrize("name", ["lake", "store"])
def test_a_folder_set_to_nothing_is_not_set_and_a_tilde_is_home(monkeypatch, tmp_path, name):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NEMWARM_HOME", "~/data")
    monkeypatch.setenv(f"NEMWARM_{name.upper()}", "")
    assert getattr(Settings(), name) == tmp_path / "data" / name
    monkeypatch.setenv(f"NEMWARM_{name.upper()}", "~/mine")
    assert getattr(Settings(), name) == tmp_path / "mine"


@pytest.mark.parametrize(("name", "said"), [("port", "many"), ("user_agent", "Müller"), ("user_agent", "a\nb")])
def test_a_malformed_setting_fails_at_the_start(monkeypatch, name, said):
    monkeypatch.setenv(f"NEMWARM_{name.upper()}", said)
    with pytest.raises(ValueError, match=name):
        Settings()
