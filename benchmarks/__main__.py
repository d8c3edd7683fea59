"""``python -m benchmarks [--full]``: measure, print the scoreboard, and write it to docs/."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import reads, writes
from benchmarks.measure import Row
from benchmarks.report import print_board, write_report
from benchmarks.world import build_world

PROJECT = Path(__file__).parents[1]


def main() -> None:
    """Run every case that the length of history allows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--full", action="store_true", help="five years instead of one; an hour and 8 GB")
    parser.add_argument("--home", type=Path, default=PROJECT / ".bench", help="where generated data is kept")
    parser.add_argument("--report", type=Path, default=PROJECT / "docs", help="folder of benchmarks.md and .json")
    asked = parser.parse_args()
    print("generating and warming; kept for the next run", flush=True)
    short, long = build_world(asked.home, 31), build_world(asked.home, 1826 if asked.full else 366)
    rows: list[Row] = []
    for found in (reads.run(long), writes.run(short, long)):
        for row in found:
            print(f"  {row.case}: {row.ours} {row.ours_ms:.1f} ms", flush=True)
            rows.append(row)
    print()
    print_board(rows)
    write_report(rows, asked.report)


if __name__ == "__main__":
    main()
