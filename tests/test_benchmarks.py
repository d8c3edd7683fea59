"""The benchmarks run from end to end on three days, and the report keeps to what was measured."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import datetime

import pyarrow as pa
import pytest

from benchmarks.apart import PROJECT
from benchmarks.engines import same_energy
from benchmarks.measure import AnswersDifferError, Row, race
from benchmarks.report import SECTIONS, Section, read_sections, write_report
from cache_store import CATALOGUE

IN_A_BROWSER = {"start", "imports"}  # processes and pages that tests/dashboard opens as well


def test_every_section_measures_a_tiny_world(tmp_path):
    wanted = [name for name in SECTIONS if name not in IN_A_BROWSER]
    command = [sys.executable, "-m", "benchmarks", "--size", "tiny", "--only", *wanted]
    command += ["--home", str(tmp_path / "home"), "--report", str(tmp_path / "report")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stderr[-2000:]

    found = read_sections(tmp_path / "report")
    assert list(found) == wanted
    measured = {row.case: row.mine for section in found.values() for row in section.rows if row.ours}
    assert {case for case, mine in measured.items() if mine <= 0} <= {
        "5 publications under 4 readers: failed or wrong readings",
        "2 users, an act every 0.5 s: errors",
    }
    for query in CATALOGUE:
        assert any(case.startswith(f"{query}, 1 d") for case in measured)
    assert measured["2 users, an act every 0.5 s: errors"] == 0
    assert measured["5 publications under 4 readers: failed or wrong readings"] == 0
    written = (tmp_path / "report" / "benchmarks.md").read_text()
    assert str(tmp_path) not in written
    assert all(f"## {SECTIONS[name]}" in written for name in wanted)


def test_ways_whose_answers_differ_are_not_timed():
    runs: list[str] = []
    ways = {"ours": lambda: runs.append("ours") or 1, "theirs": lambda: runs.append("theirs") or 2}
    with pytest.raises(AnswersDifferError, match="a case: theirs"):
        race("a case", ways, seconds=0, same=lambda one, other: one == other)
    assert runs == ["ours", "theirs"]


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (Row("c", "we", 600.0, budget="tick"), "pass"),
        (Row("c", "we", 600.1, budget="tick"), "MISS"),
        (Row("c", "we", 13.0, rival="bare", theirs=10.0, budget="bare"), "pass"),
        (Row("c", "we", 13.1, rival="bare", theirs=10.0, budget="bare"), "MISS"),
        (Row("c", "we", 1.0, rival="live", theirs=25.0, budget="regional_price, 365 d, live"), "pass"),
        (Row("c", "we", 1.0, rival="live", theirs=24.0, budget="regional_price, 365 d, live"), "MISS"),
        (Row("c", "we", 0.0, "", budget="errors"), "pass"),
        (Row("c", "we", 1.0, "", budget="errors"), "MISS"),
        (Row("c", "we", 1.0, rival="live", theirs=99.0), ""),
    ],
)
def test_a_budget_is_kept_or_missed(row, verdict):
    assert row.verdict == verdict


def test_the_report_keeps_other_sections_lists_misses_and_says_when_others_worked(tmp_path):
    beside = {"rival": "bare DuckDB", "budget": "bare"}
    rows = [
        Row("a year", "partitions", 9.0, budget="generation_by_fuel, 365 d"),
        Row("a day", "partitions", 3.0, theirs=2.0, **beside),
        Row("a week", "partitions", 4.0, theirs=5.0, **beside),
    ]
    reads = Section.of(rows, "usual", list(SECTIONS), 12.0, busy=0.02)
    write_report({"reads": reads}, tmp_path)
    load = Section.of([Row("30 users: errors", "server", 0.0, "", budget="errors")], "full", ["load"], 60.0, busy=0.85)
    write_report(read_sections(tmp_path) | {"load": load}, tmp_path)

    assert set(json.loads((tmp_path / "benchmarks.json").read_text())) == {"reads", "load"}
    head, *written = (tmp_path / "benchmarks.md").read_text().split("## ")
    assert "machine: " in head
    board, of_reads, of_load = written
    assert "| ≤ 8 ms | 9 ms |  |  | MISS |" in board
    assert "| ≤ 1.3 x | 3 ms (a day) | bare DuckDB 2 ms | 1.50 x as much | MISS, 1 of 2 kept |" in board
    assert "| ≤ 0 | 0 |  |  | pass |" in board
    assert "| ≤ 1.2 x | not measured: `make bench FULL=1` |" in board
    missed = re.findall(r"^- (.*)", board, re.MULTILINE)
    assert missed == [
        "a year: partitions 9 ms (budget ≤ 8 ms)",
        "a day: partitions 3 ms beside bare DuckDB 2 ms: 1.50 x as much (budget ≤ 1.3 x)",
    ]
    assert "| a week | partitions | 4 ms | bare DuckDB | 5 ms | 1.25 x less | pass |" in of_reads
    assert "by `make bench`; other work took 2% of the machine." in of_reads
    assert "by `make bench FULL=1 ONLY=load`; other work took 85% of the machine, so it was **not quiet**" in of_load


def test_energy_that_either_side_lacks_or_has_otherwise_is_a_difference():
    def table(energy_mwh: list[float]) -> pa.Table:
        times = [datetime(2026, 5, 1, 0, 5 * i + 5) for i in range(len(energy_mwh))]
        keys = {"interval_end": times, "region_id": ["SA1"] * len(times), "fueltech_id": ["wind"] * len(times)}
        return pa.table(keys | {"energy_mwh": energy_mwh})

    assert same_energy(table([1.0, 2.0]), table([1.0, 2.0 + 1e-12]))
    assert same_energy(table([1.0, 2.0, 0.0]), table([1.0, 2.0]))  # a fuel at rest may have no row
    assert not same_energy(table([1.0, 2.0]), table([1.0, 2.001]))
    assert not same_energy(table([1.0, 2.0]), table([1.0]))
    assert not same_energy(table([1.0]), table([1.0, 2.0]))
