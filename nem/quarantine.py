"""Files that were refused, as they came, each with its reason beside it. Bounded: the oldest go."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from nem.errors import SourceUnavailableError
from nem.files import publish_bytes
from nem.ledger import write_json

FOLDER = "quarantine"
# What is kept, the newest; of a larger file than the last only the reason.
KEPT_FILES, KEPT_BYTES, LARGEST_BYTES = 500, 512 * 2**20, 64 * 2**20


def quarantine(root: Path, path: Path, reason: str, *, url: str, now: datetime) -> None:
    """Keep a refused file, by what is in it, its reason beside it; the oldest kept go when they are too many.

    Raises:
        SourceUnavailableError: the lake cannot be written.
    """
    folder = root / FOLDER
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        kept = folder / f"{digest[:16]}-{path.name}"
        folder.mkdir(parents=True, exist_ok=True)
        if size <= LARGEST_BYTES:
            publish_bytes(kept, path.read_bytes())
        about = {"name": path.name, "url": url, "reason": reason, "at": now, "bytes": size, "sha256": digest}
        write_json(kept.with_name(f"{kept.name}.json"), about)
        _bound(folder)
    except OSError as error:
        raise SourceUnavailableError(f"{path.name} cannot be quarantined: {error}") from error


def release(root: Path, name: str) -> None:
    """Forget what was refused under ``name``: another version of it has landed."""
    for kept in (root / FOLDER).glob("*-*"):
        if kept.name.partition("-")[2] in {name, f"{name}.json"}:
            kept.unlink(missing_ok=True)


def _bound(folder: Path) -> None:
    reasons = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = 0
    for number, reason in enumerate(reasons):
        content = reason.with_name(reason.name.removesuffix(".json"))
        total += content.stat().st_size if content.exists() else 0
        if number >= KEPT_FILES or total > KEPT_BYTES:
            content.unlink(missing_ok=True)
            reason.unlink()
