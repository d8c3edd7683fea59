"""What runs did: the newest of each name, and its newest failures, in a small file per name under ``history/``.

Read by whoever tells how the installation is doing, with no flow, server or page up. Whole files, replaced by rename:
what a killed run would have written is lost, nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from cache_store.errors import StoreUnavailableError
from cache_store.manifest import writer_lock
from nem.files import publish_bytes

FOLDER = "history"
KEEP_RUNS, KEEP_FAILURES = 300, 20  # of each name: a day of five-minute ticks
Outcome = Literal["done", "failed", "cancelled"]


@dataclass(slots=True)
class Run:
    """One run, filled in while it works.

    ``name`` is its deployment's, or its flow's; ``trigger`` what started it; ``began_at`` is UTC.
    ``periods`` counts what it built, ``row_count`` and ``byte_count`` are of the files it published; ``lag`` is how far
    behind the market the store was when it ended, None where it says nothing about that.
    """

    name: str
    trigger: str
    began_at: datetime
    seconds: float = 0.0
    outcome: Outcome = "done"
    message: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    periods: int = 0
    row_count: int = 0
    byte_count: int = 0
    lag: timedelta | None = None


def record_run(root: Path, run: Run) -> None:
    """Add ``run`` to the history of its name, which keeps its newest runs and its newest failures.

    Raises:
        StoreUnavailableError: the root cannot be written; the history is as it was.
    """
    path = root / FOLDER / f"{re.sub('[^a-z0-9-]+', '-', run.name.lower())}.json"
    try:
        with writer_lock(root):
            runs = sorted([run, *_read(path)], key=lambda one: one.began_at, reverse=True)
            failures = [one for one in runs[KEEP_RUNS:] if one.outcome == "failed"]
            lacking = KEEP_FAILURES - sum(one.outcome == "failed" for one in runs[:KEEP_RUNS])
            kept = runs[:KEEP_RUNS] + failures[: max(0, lacking)]
            publish_bytes(path, json.dumps([row_of(one) for one in kept]).encode())
    except OSError as error:
        raise StoreUnavailableError(f"the history in {root} cannot be written: {error}") from error


def read_runs(root: Path) -> list[Run]:
    """Every run kept, newest first. A file that is not one of ours is passed over."""
    runs = [run for path in (root / FOLDER).glob("*.json") for run in _read(path)]
    return sorted(runs, key=lambda run: run.began_at, reverse=True)


def newest_of_each(runs: list[Run], outcome: Outcome | None = None) -> list[Run]:
    """The newest run of each name, of ``outcome`` if given, out of ``runs`` in ``read_runs``' order."""
    found: dict[str, Run] = {}
    for run in runs:
        if outcome in (None, run.outcome):
            found.setdefault(run.name, run)
    return list(found.values())


def row_of(run: Run) -> dict[str, Any]:
    """A run as plain JSON values."""
    row = asdict(run) | {"began_at": run.began_at.isoformat()}
    del row["lag"]
    return row | {"lag_seconds": None if run.lag is None else run.lag.total_seconds()}


def _read(path: Path) -> list[Run]:
    try:
        return [_run(row) for row in json.loads(path.read_text())]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, StopIteration):
        return []


def _run(row: dict[str, Any]) -> Run:
    plain = {name: value for name, value in row.items() if name != "lag_seconds"}
    lag = None if row["lag_seconds"] is None else timedelta(seconds=row["lag_seconds"])
    outcome = next(known for known in get_args(Outcome) if known == row["outcome"])
    return Run(**plain | {"began_at": datetime.fromisoformat(row["began_at"]), "outcome": outcome, "lag": lag})
