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


def main() -> None:
    """Make the worlds, then run every section asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="usual", help="tiny is for tests, full takes about an hour")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="these sections alone")
    parser.add_argument("--home", type=Path, default=PROJECT / ".bench", help="where generated data is kept")
    parser.add_argument("--report", type=Path, default=PROJECT / "docs", help="folder of benchmarks.md and .json")
    asked = parser.parse_args()
    size, began = SIZES[asked.size], time.perf_counter()
    print(f"generating {size.days} days in {asked.home}, kept for the next run", flush=True)
    world = generated_world(asked.home, size.days)
    if "warming" not in asked.only:
        warm_all(world.source, world.store)
    runs, measured = _runs(world, size, asked.home), dict[str, Section]()
    for name in (name for name in SECTIONS if name in asked.only):
        busy_before, section_began = busy_share(), time.perf_counter()
        rows = []
        for row in runs[name]():
            words = ", ".join(filter(None, cells(row)))
            print(f"[{time.perf_counter() - began:4.0f} s] {words}", flush=True)
            rows.append(row)
        seconds = time.perf_counter() - section_began
        measured[name] = Section.of(rows, asked.size, asked.only, seconds, max(busy_before, busy_share()))
        # After each: what a broken run had measured by then is kept.
        write_report(read_sections(asked.report) | measured, asked.report)
    print_board(measured)
    for left in ("caches", "published", "storm", "landed", *(f"ticks-{days}" for days in size.histories)):
        shutil.rmtree(world.home / left, ignore_errors=True)


def _runs(world: World, size: Size, home: Path) -> dict[str, Callable[[], Iterator[Row]]]:
    return {
        "warming": lambda: warming.run(world, size),
        "reads": lambda: reads.run(world, _far(home, size), size),
        "engines": lambda: engines.run(world, size),
        "caches": lambda: caches.run(world, size),
        "crowd": lambda: crowd.run(world, size),
        "refresh": lambda: refresh.run(world, size),
        "start": lambda: start.run(world, size),
        "imports": lambda: start.imports(size),
        "load": lambda: load.run(world, size),
    }


def _far(home: Path, size: Size) -> World | None:
    if not size.far_days:
        return None
    far = generated_world(home, size.far_days, size.far_units)
    warm_all(far.source, far.store)
    return far


if __name__ == "__main__":
    main()
