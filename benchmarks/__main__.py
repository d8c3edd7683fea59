"""``python -m benchmarks``: measure, print the scoreboard, and write it to docs/.

Without ``--full``: one year of history, in ten minutes at most.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import caches, crowd, engines, load, reads, refresh, start
from benchmarks.measure import Row
from benchmarks.report import SECTIONS, print_board, write_report
from benchmarks.world import World, generated_lake, make_world, warm_all

PROJECT = Path(__file__).parents[1]
FAR_DAYS, FAR_UNITS = 1826, 110  # for readings over five years: as many rows at 1d as of 550 units, but of single units


def main() -> None:
    """Make the worlds, then run every section."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="three years instead of one, a hundred users; about an hour"
    )
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="these sections alone")
    parser.add_argument("--home", type=Path, default=PROJECT / ".bench", help="where generated data is kept")
    parser.add_argument("--report", type=Path, default=PROJECT / "docs", help="folder of benchmarks.md and .json")
    asked = parser.parse_args()
    began = time.perf_counter()
    rows: list[Row] = []
    for row in _measure(asked.home, set(asked.only), full=asked.full):
        print(f"[{time.perf_counter() - began:4.0f} s] {row.case}: {row.ours} {row.mine:.4g} {row.unit}", flush=True)
        rows.append(row)
    print()
    print_board(rows)
    asked.report.mkdir(parents=True, exist_ok=True)
    write_report(rows, asked.report)


def _measure(home: Path, wanted: set[str], *, full: bool) -> Iterator[Row]:
    days = 1096 if full else 366
    print(f"generating {days} days in {home}, kept for the next run", flush=True)
    lake = generated_lake(home, days)
    world = make_world(home / "world", lake, days)
    warmed = refresh.warm_from_nothing(world)
    yield from warmed if "refresh" in wanted else _without_rows(warmed)
    histories = (31, 92, 366, 1096) if full else (31, 366)
    sections: dict[str, Callable[[], Iterator[Row]]] = {
        "reads": lambda: reads.run(world, _far(home) if full else None),
        "live rivals": lambda: engines.run(world),
        "caches": lambda: caches.run(world),
        "crowd": lambda: crowd.run(world),
        "start": lambda: start.run(world),
        "load": lambda: load.run(world, full=full),
        # Last: what it takes in, the others would have to ask the source for.
        "refresh": lambda: refresh.run(world, lake, histories),
    }
    for name, run in sections.items():
        if name in wanted or (name == "start" and "imports" in wanted):
            yield from run()
    for left in home.glob("world*"):
        shutil.rmtree(left)


def _without_rows(rows: Iterator[Row]) -> Iterator[Row]:
    for _ in rows:
        pass
    return iter(())


def _far(home: Path) -> World:
    """Five years of fewer units, warmed."""
    far = make_world(home / "world-far", generated_lake(home, FAR_DAYS, FAR_UNITS), FAR_DAYS)
    warm_all(far.source, far.store)
    return far


if __name__ == "__main__":
    main()
