"""What was taken from where, durably, beside the lake: the files seen of each feed, and the gaps to repair.

A file is seen once its rows are in the lake, or once it was refused with a reason; what a killed run did not write down is
taken again, which changes nothing. Small JSON files, replaced whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from nem.errors import SourceUnavailableError
from nem.files import publish_bytes
from nem.windows import Window

FOLDER = "ledger"


class Seen(NamedTuple):
    """A file that was taken: the version of it, and why it was refused, empty if it landed."""

    stamp: str = ""
    tag: str = ""
    reason: str = ""


@dataclass
class Ledger:
    """What is known of one feed.

    ``since`` is the oldest time that is wanted, ``newest`` the newest ever offered; ``pending`` was offered and not taken.
    ``gaps`` are times of files that were never seen and are no longer offered, in order.
    ``listed_at`` and ``repaired_at`` are when its folder and its archive were last asked for, ``busy_until`` before when
    the server does not want to be asked, in UTC.
    """

    seen: dict[str, Seen] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    gaps: list[Window] = field(default_factory=list)
    since: datetime | None = None
    newest: datetime | None = None
    listed_at: datetime | None = None
    repaired_at: datetime | None = None
    busy_until: datetime | None = None
    tag: str = ""

    def close(self, repaired: Window) -> None:
        """Leave no gap where it was ``repaired``."""
        self.gaps = [left for gap in self.gaps for left in gap.minus([repaired])]


def read_ledger(root: Path, name: str) -> Ledger:
    """What is known of ``name``; nothing where there is no file, or a torn one: then all is taken again.

    Raises:
        SourceUnavailableError: it cannot be read; what it knows would be lost.
    """
    path = _path(root, name)
    try:
        held = json.loads(path.read_text())
        times = {key: _time(held[key]) for key in ("since", "newest", "listed_at", "repaired_at", "busy_until")}
        return Ledger(
            seen={file: Seen(*known) for file, known in held["seen"].items()},
            pending={str(file) for file in held["pending"]},
            gaps=[Window(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in held["gaps"]],
            tag=str(held["tag"]),
            **times,
        )
    except (FileNotFoundError, ValueError, LookupError, TypeError, AttributeError):
        return Ledger()
    except OSError as error:
        raise SourceUnavailableError(f"the ledger {path} cannot be read: {error.strerror}") from error


def write_ledger(root: Path, name: str, ledger: Ledger) -> None:
    """Keep ``ledger``, durably.

    Raises:
        SourceUnavailableError: the lake cannot be written; what was known is kept.
    """
    gaps = [[gap.start, gap.end] for gap in ledger.gaps]
    write_json(_path(root, name), vars(ledger) | {"pending": sorted(ledger.pending), "gaps": gaps})


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace ``path`` by ``content``, times as text. Raises SourceUnavailableError."""
    text = json.dumps(content, default=datetime.isoformat, separators=(",", ":"))
    try:
        publish_bytes(path, text.encode())
    except OSError as error:
        raise SourceUnavailableError(f"{path} cannot be written: {error}") from error


def _path(root: Path, name: str) -> Path:
    return root / FOLDER / f"{name}.json"


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
