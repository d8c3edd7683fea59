"""What an ingest did, as facts: for its caller, and for whoever asks later with no flow or server up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from nem.feeds import FEEDS
from nem.ledger import FOLDER, write_json
from nem.windows import Window

HISTORY, ELSEWHERE = "history", "elsewhere"  # taken from no feed: a month of the archives; a folder or an address
MOST_NAMED = 20  # files kept by name; all are counted
_LAST = "last.json"


@dataclass(slots=True)
class Taken:
    """What came of one feed, month or place. ``checked_at`` is UTC; the other numbers are files.

    ``skipped`` were seen before. ``rejected`` are not as they should be, and ``failed`` could not be had (folders too),
    with why; of those named here there may be more. ``left`` are offered and not taken yet. ``gaps`` are times of files
    no longer offered and never taken, in NEM time: to be had from the archive once it has them.
    """

    name: str
    checked_at: datetime
    landed: int = 0
    skipped: int = 0
    rejected_count: int = 0
    rejected: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    left: int = 0
    gaps: tuple[Window, ...] = ()

    def reject(self, name: str, reason: str) -> None:
        """Count a file as not as it should be."""
        self.rejected[name] = reason
        self.rejected_count = len(self.rejected)


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingest did. ``days`` are those that changed, by table of the lake (``units``: derived anew).

    ``newest_before`` and ``newest_after`` are the newest labels by table; ``unknown_units`` have no registration.
    """

    taken: tuple[Taken, ...]
    days: Mapping[str, list[date]]
    newest_before: Mapping[str, datetime]
    newest_after: Mapping[str, datetime]
    unknown_units: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def landed(self) -> int:
        """Files."""
        return sum(one.landed for one in self.taken)

    @property
    def advanced(self) -> dict[str, datetime]:
        """The tables whose newest label moved on, and to where: they alone were brought up to date."""
        return {table: label for table, label in self.newest_after.items() if label != self.newest_before.get(table)}

    @property
    def changed_days(self) -> list[date]:
        """Those of any table, in order."""
        return sorted({day for days in self.days.values() for day in days})

    @property
    def problems(self) -> list[str]:
        """``list_problems`` of all of it."""
        return list_problems(self.taken)

    @property
    def message(self) -> str:
        """All of it in one sentence."""
        rejected = sum(one.rejected_count for one in self.taken)
        failed = sum(len(one.failed) for one in self.taken)
        counts = [f"landed {self.landed} files", f"{len(self.changed_days)} days changed"]
        counts += [f"{rejected} rejected"] if rejected else []
        counts += [f"{failed} failed"] if failed else []
        until = [f"{table} to {label:%Y-%m-%d %H:%M}" for table, label in self.advanced.items()]
        return f"{', '.join([*counts, *until])} in {self.seconds:.1f} s"


def list_problems(taken: Sequence[Taken]) -> list[str]:
    """A sentence for each file refused, and for each cause why files or folders could not be had: a server is down once."""
    refused = [f"{one.name}: {name}: {why}" for one in taken for name, why in one.rejected.items()]
    failed: dict[str, list[str]] = {}
    for one in taken:
        for name, why in one.failed.items():
            failed.setdefault(why, []).append(f"{one.name}: {name}")
    return refused + [f"{', '.join(names)}: {why}" for why, names in failed.items()]


def last_ingest(root: Path) -> list[Taken]:
    """What the last look at each feed came to, and the last month of history and other place, in that order.

    Empty where nothing was ever taken into the lake at ``root``, or that cannot be read. It reads one small file.
    """
    try:
        held = json.loads((root / FOLDER / _LAST).read_text())
        taken = {name: _taken(row) for name, row in held.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []
    return [taken[name] for name in (*FEEDS, HISTORY, ELSEWHERE) if name in taken]


def keep_last(root: Path, taken: Iterable[Taken]) -> None:
    """Have ``last_ingest`` tell of ``taken``. Raises SourceUnavailableError: the lake cannot be written."""
    held = {one.name: one for one in last_ingest(root)} | {one.name: one for one in taken}
    write_json(root / FOLDER / _LAST, {name: row_of(one) for name, one in held.items()})


def row_of(taken: Taken) -> dict[str, Any]:
    """As JSON has it; of ``rejected`` and ``failed`` some."""
    named = {key: dict(list(getattr(taken, key).items())[:MOST_NAMED]) for key in ("rejected", "failed")}
    gaps = [[gap.start.isoformat(), gap.end.isoformat()] for gap in taken.gaps]
    return asdict(taken) | named | {"checked_at": taken.checked_at.isoformat(), "gaps": gaps}


def _taken(row: dict[str, Any]) -> Taken:
    gaps = tuple(Window(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in row["gaps"])
    return Taken(**row | {"checked_at": datetime.fromisoformat(row["checked_at"]), "gaps": gaps})
