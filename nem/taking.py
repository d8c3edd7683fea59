"""A run of taking files: had, landed in batches, and only then noted as seen."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from nem.errors import FileAbsentError, SourceFormatError, SourceUnavailableError
from nem.files import locked
from nem.landing import land_files
from nem.ledger import FOLDER, Ledger, Seen, read_ledger, write_ledger
from nem.listing import Link
from nem.nemweb import Web
from nem.quarantine import quarantine, release
from nem.source import check_ours, open_source
from nem.taken import ELSEWHERE, HISTORY, Ingested, Taken, keep_last
from nem.windows import Window

T = TypeVar("T")
INCOMING = "incoming"
# What is landed at once: it bounds the disk that downloads take, and what a kill costs.
BATCH_FILES, BATCH_BYTES = 200, 256 * 2**20

Progress = Callable[[int, int, str], object]  # files done, of how many, and the name of the one under way


@dataclass(frozen=True, slots=True)
class Offer:
    """A file to take for ``ledger``. ``repairs`` is the stretch of a feed's gaps that it closes."""

    ledger: str
    link: Link
    repairs: Window | None = None


@dataclass(slots=True)
class Run:
    """Taking files into the lake at ``root``: from ``web``, or where they lie if there is none: then a link's url is a path.

    ``group`` names what no other run may take meanwhile; ``taken`` is what has come of each ledger.
    """

    root: Path
    group: str
    web: Web | None
    now: datetime
    progress: Progress | None = None
    strict: bool = True
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    taken: dict[str, Taken] = field(default_factory=dict)
    days: dict[str, set[date]] = field(default_factory=dict)
    unknown_units: set[str] = field(default_factory=set)
    newest_before: dict[str, datetime] = field(default_factory=dict)
    began: float = field(default_factory=perf_counter)

    @contextmanager
    def turn(self, names: Iterable[str]) -> Iterator[None]:
        """The right to take ``group`` on this host, with what is known of ``names``; the kernel takes it back from the dead.

        Raises:
            SourceUnavailableError: somebody else is at it, the lake cannot be written, or it is no lake of ours.
        """
        check_ours(self.root)
        with ExitStack() as held:
            try:
                held.enter_context(locked(self.root / FOLDER / f".{self.group}.lock", within=timedelta(0)))
            except BlockingIOError as error:
                raise SourceUnavailableError(
                    f"another ingest of {self.group} is at work on {self.root}: let it finish"
                ) from error
            except OSError as error:
                raise SourceUnavailableError(f"{self.root / FOLDER} cannot be written: {error}") from error
            self.newest_before = open_source(self.root).newest_labels()
            for name in names:
                self.taken[name] = Taken(name, self.now)
                self.ledgers[name] = Ledger() if name == ELSEWHERE else read_ledger(self.root, name)
            yield

    def noted(self, name: str, what: str, ask: Callable[[], T]) -> T | None:
        """What ``ask`` returns; where it cannot have ``what``, that is noted as failed for ``name``, and it is None."""
        try:
            return ask()
        except (SourceUnavailableError, SourceFormatError) as error:
            self.taken[name].failed[what] = str(error)
            return None

    def offers(self, name: str, links: Iterable[Link], is_done: Callable[[Seen, Link], bool]) -> list[Offer]:
        """What of ``links`` is to be taken: what was never seen, or is not done with by that."""
        known, found = self.ledgers[name].seen, []
        for link in links:
            seen = known.get(link.name)
            if seen and is_done(seen, link):
                if seen.reason and name == HISTORY:  # whoever asks for a month is told each time what it lacks
                    self.taken[name].reject(link.name, seen.reason)
                else:
                    self.taken[name].skipped += 1
            else:
                found.append(Offer(name, link))
        return found

    def take(self, offers: Sequence[Offer]) -> None:
        """Have the files and land them, a batch at a time. A server that is down ends it.

        Raises:
            SourceUnavailableError: the lake cannot be written; what landed is noted.
        """
        done = 0
        for batch in _batches(offers):
            held: dict[Path, tuple[Offer, str]] = {}
            for offer in batch:
                if self.progress:
                    self.progress(done, len(offers), offer.link.name)
                done += 1
                if had := self._have(offer):
                    path, tag = had
                    held[path] = offer, tag
            self._land(held)
            if self.web and self.web.is_down:
                break

    def finish(self, names: Iterable[str]) -> Ingested:
        """Note what was looked at, ``names``, and return what was done."""
        if self.web:
            shutil.rmtree(self.root / INCOMING / self.group, ignore_errors=True)
        taken = tuple(self.taken[name] for name in names)
        for one in taken:
            ledger = self.ledgers[one.name]
            write_ledger(self.root, one.name, ledger)
            one.left, one.gaps = len(ledger.pending), tuple(ledger.gaps)
        keep_last(self.root, taken)
        days = {table: sorted(found) for table, found in self.days.items() if found}
        unknown, seconds = tuple(sorted(self.unknown_units)), perf_counter() - self.began
        return Ingested(taken, days, self.newest_before, open_source(self.root).newest_labels(), unknown, seconds)

    def _have(self, offer: Offer) -> tuple[Path, str] | None:
        """Where the file is now, and its tag; None where it could not be had, or is still what was refused."""
        link, web = offer.link, self.web
        if web is None:
            return Path(link.url), ""
        path = self.root / INCOMING / self.group / link.name
        if path.exists() and path.stat().st_size == link.size:
            return path, ""  # had by a run that was killed before it landed
        return self.noted(offer.ledger, link.name, lambda: self._fetch(web, offer, path))

    def _fetch(self, web: Web, offer: Offer, path: Path) -> tuple[Path, str] | None:
        link, ledger = offer.link, self.ledgers[offer.ledger]
        seen = ledger.seen.get(link.name)
        # The version that was refused need not come again, unless it is now read less strictly.
        refused = seen.tag if seen and seen.reason and self.strict else ""
        try:
            tag = web.fetch(link.url, path, size=link.size, tag=refused)
        except FileAbsentError:
            # Listed, and gone before it was asked for. Of a feed: a gap, once it is not listed either.
            if not ledger.newest:
                raise
            return None
        if tag is None:
            self.taken[offer.ledger].skipped += 1
            return None
        return path, tag

    def _land(self, held: dict[Path, tuple[Offer, str]]) -> None:
        if not held:
            return
        landing = land_files(self.root, held, strict=self.strict)
        for table, days in landing.days.items():
            self.days.setdefault(table, set()).update(days)
        self.unknown_units.update(landing.unknown_units)
        for path, (offer, tag) in held.items():
            self._note(path, offer, tag, landing.refused.get(path, ""))
        for name in {offer.ledger for offer, _ in held.values()}:
            write_ledger(self.root, name, self.ledgers[name])
        if self.web:
            for path in held:
                path.unlink(missing_ok=True)

    def _note(self, path: Path, offer: Offer, tag: str, reason: str) -> None:
        """A file is seen: landed, or refused for ``reason``."""
        link, ledger, taken = offer.link, self.ledgers[offer.ledger], self.taken[offer.ledger]
        if reason:
            taken.reject(link.name, reason)
            if self.web:
                quarantine(self.root, path, reason, url=link.url, now=self.now)
        else:
            taken.landed += 1
            if (before := ledger.seen.get(link.name)) and before.reason:
                release(self.root, link.name)
        if offer.repairs and not reason:
            ledger.close(offer.repairs)
        ledger.seen[link.name] = Seen(link.stamp, tag, reason)
        ledger.pending.discard(link.name)


def _batches(offers: Sequence[Offer]) -> Iterator[list[Offer]]:
    batch: list[Offer] = []
    size = 0
    for offer in offers:
        if batch and (len(batch) >= BATCH_FILES or size + (offer.link.size or 0) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(offer)
        size += offer.link.size or 0
    if batch:
        yield batch
