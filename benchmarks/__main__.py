"""``python -m benchmarks``: measure, print the scoreboard, and write it to docs/.

A section measured alone takes its place in the report beside what others were when they were last measured.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import caches, crowd, engines, load, reads, refresh, start, warming
from benchmarks.apart import PROJECT
from benchmarks.measure import Row
from benchmarks.report import SECTIONS, Section, busy_share, cells, print_board, read_sections, write_report
from benchmarks.world import SIZES, Size, World, generated_world, warm_all

RUNS: dict[str, Callable[[World, Size], Iterator[Row]]] = {
    "warming": warming.run,
    "reads": reads.run,
    "engines": engines.run,
    "caches": caches.run,
    "crowd": crowd.run,
    "refresh": refresh.run,
    "start": start.run,
    "imports": start.imports,
    "load": load.run,
}
USED, USED_DAYS = {"start", "imports", "load"}, 366  # those that open pages, and the most history they do it on


def main() -> None:
    """Make the worlds, then run every section asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="usual", help="tiny is for tests, full takes about an hour")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="these sections alone")
    parser.add_argument("--home", type=Path, default=PROJECT / ".bench", help="where generated data is kept")
    parser.add_argument("--report", type=Path, default=PROJECT / "docs", help="folder of benchmarks.md and .json")
    asked = parser.parse_args()
    size, began, measured = SIZES[asked.size], time.perf_counter(), dict[str, Section]()
    for name in (name for name in SECTIONS if name in asked.only):
        world = _world(asked.home, size, name)
        busy_before, section_began = busy_share(), time.perf_counter()
        rows = []
        for row in RUNS[name](world, size):
            words = ", ".join(filter(None, cells(row)))
            print(f"[{time.perf_counter() - began:4.0f} s] {words}", flush=True)
            rows.append(row)
        seconds = time.perf_counter() - section_began
        measured[name] = Section.of(rows, asked.size, asked.only, seconds, max(busy_before, busy_share()))
        # After each: what a broken run had measured by then is kept.
        write_report(read_sections(asked.report) | measured, asked.report)
        for left in ("caches", "published", "storm", "landed", *(f"ticks-{days}" for days in size.histories)):
            shutil.rmtree(world.home / left, ignore_errors=True)
    print_board(measured)


def _world(home: Path, size: Size, section: str) -> World:
    """A section's world, warm but for the one that warms it."""
    days = min(size.days, USED_DAYS) if section in USED else size.days
    world = generated_world(home, days)
    if section != "warming":
        warm_all(world.source, world.store)
    return world


if __name__ == "__main__":
    main()
