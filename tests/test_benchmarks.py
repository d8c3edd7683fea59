"""The benchmarks run from end to end on three days, and the report keeps to what was measured."""

from __future__ import annotations

import json
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
        "50 publications under 4 readers: failed or wrong readings",
        "2 users, 2 processes: errors",
        "2 users, 2 processes: memory of a session",
    }
    for query in CATALOGUE:
        assert any(case.startswith(f"{query}, 1 d") for case in measured)
    assert measured["2 users, 2 processes: errors"] == 0
    assert measured["50 publications under 4 readers: failed or wrong readings"] == 0
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
        (Row("c", "we", 20.0, at_most=20.0), "pass"),
        (Row("c", "we", 20.1, at_most=20.0), "MISS"),
        (Row("c", "we", 13.0, rival="bare", theirs=10.0, ratio_at_most=1.3), "pass"),
        (Row("c", "we", 13.1, rival="bare", theirs=10.0, ratio_at_most=1.3), "MISS"),
        (Row("c", "we", 1.0, rival="live", theirs=99.0, times_better=100.0), "MISS"),
        (Row("c", "we", 1.0, at_most=2.0, rival="live", theirs=99.0, times_better=100.0), "MISS"),
        (Row("c", "we", 1.0, rival="live", theirs=99.0), "-"),
    ],
)
def test_a_budget_is_kept_or_missed(row, verdict):
    assert row.verdict == verdict


def test_the_report_keeps_other_sections_lists_misses_and_says_when_others_worked(tmp_path):
    reads = Section.of([Row("a year", "partitions", 9.0, at_most=8.0)], "usual", list(SECTIONS), 12.0, busy=0.02)
    write_report({"reads": reads}, tmp_path)
    load = Section.of([Row("30 users: errors", "server", 0.0, "", at_most=0)], "full", ["load"], 60.0, busy=0.85)
    write_report(read_sections(tmp_path) | {"load": load}, tmp_path)

    assert set(json.loads((tmp_path / "benchmarks.json").read_text())) == {"reads", "load"}
    written = (tmp_path / "benchmarks.md").read_text()
    assert "1 budgets kept, 1 missed, 0 lines without one" in written
    assert "- a year: partitions 9 ms (budget ≤ 8 ms)" in written
    of_reads, of_load = written.split("## ")[1:]
    assert "by `make bench`; other work took 2% of the machine." in of_reads
    assert "not quiet" not in of_reads
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
