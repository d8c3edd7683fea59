"""Taking AEMO's files into the lake: the current feeds, its archives, a folder, an address.

A feed, a folder of the server or a file that fails stops no other: what it was is in what comes back, and the next run
tries again. Where files are is ``nem.feeds``; how one is had, landed and noted is ``nem.taking``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from nem.errors import FileAbsentError, SourceFormatError
from nem.feeds import EDGE, FEEDS, MONTHLY, Addresses, Feed, choose_feeds, landing_order, table_of
from nem.lake import end_sample
from nem.ledger import Ledger, Seen
from nem.listing import Link
from nem.nemweb import MOST_PEACE, Web
from nem.taken import ELSEWHERE, HISTORY, Ingested
from nem.taking import Offer, Progress, Run
from nem.windows import INTERVAL, Window, ceil, floor, joined, market_time

MOST_REPAIRS = 3  # files of an archive a run and feed: a tick stays short
REPAIR_EVERY = timedelta(hours=1)  # for what the archive does not have yet
_FILES = (".zip", ".csv", ".xlsx", ".xls")


def ingest_current(
    root: Path,
    web: Web,
    addresses: Addresses,
    *,
    now: datetime,
    feeds: Iterable[str] = FEEDS,
    only_due: bool = False,
    progress: Progress | None = None,
) -> Ingested:
    """Take what is new in the current ``feeds``, newest first, and repair from the archives what they no longer offer.

    With ``only_due``, a feed's folder is asked for no more often than its ``every``, and not while the server wants none of
    it.

    Raises:
        UnknownFeedError: one of ``feeds`` is none.
        SourceUnavailableError: the lake cannot be written, or another ingest of the feeds is at work.
    """
    chosen = choose_feeds(feeds)
    run = Run(root, "current", web, now, progress)
    with run.turn(feed.name for feed in chosen):
        due = [feed for feed in chosen if not only_due or _is_due(feed, run.ledgers[feed.name], now)]
        offers: list[Offer] = []
        for feed in due:
            url = addresses.of_current(feed)
            offers += run.noted(feed.name, feed.folder, partial(_look, run, web, feed, url)) or []
        run.take(offers)
        for feed in due:
            _repair(run, web, feed, addresses)
            run.ledgers[feed.name].busy_until = now + timedelta(seconds=web.refused_for)
        if run.days:
            end_sample(root)
        return run.finish([feed.name for feed in due])


def ingest_month(
    root: Path,
    web: Web,
    addresses: Addresses,
    window: Window,
    *,
    now: datetime,
    feeds: Iterable[str] = FEEDS,
    strict: bool = True,
    force: bool = False,
    progress: Progress | None = None,
) -> Ingested:
    """Take the month that ``window`` lies in: whole from the monthly archive, else its days from the archives of ``feeds``.

    A file that was taken is taken again only where the server has another version of it, or with ``force``.

    Raises:
        UnknownFeedError: one of ``feeds`` is none.
        SourceUnavailableError: the lake cannot be written, or another ingest of history is at work.
    """
    chosen = choose_feeds(feeds)
    run = Run(root, HISTORY, web, now, progress, strict)
    with run.turn([HISTORY]):
        month = f"{window.start:%Y-%m}"
        links = run.noted(HISTORY, month, lambda: _of_history(run, web, addresses, chosen, window))
        run.take(run.offers(HISTORY, links or [], lambda seen, link: not force and _is_same(seen, link, strict=strict)))
        return run.finish([HISTORY])


def ingest_place(
    root: Path,
    place: Path | str,
    *,
    now: datetime,
    web: Web | None = None,
    strict: bool = True,
    progress: Progress | None = None,
) -> Ingested:
    """Land a file, or every zip, CSV and registration workbook under a folder, where they stay; with ``web``, at an address.

    Of a folder at an address, the folders in it are left out.

    Raises:
        SourceUnavailableError: the lake cannot be written, or another ingest of this kind is at work.
    """
    run = Run(root, ELSEWHERE, web, now, progress, strict)
    with run.turn([ELSEWHERE]):
        failed = run.taken[ELSEWHERE].failed
        links = run.noted(
            ELSEWHERE, str(place), lambda: _links_at(web, str(place)) if web else _links_under(Path(place), failed)
        )
        run.take([Offer(ELSEWHERE, link) for link in _in_order(links or [])])
        return run.finish([ELSEWHERE])


def _links_at(web: Web, url: str) -> list[Link]:
    """The file at ``url``, or all that the folder there lists."""
    return [Link(url.rpartition("/")[2], url)] if url.lower().endswith(_FILES) else _listed(web, url)


def _links_under(path: Path, failed: dict[str, str]) -> list[Link]:
    """The files of use at or under ``path``, each by the way to it: two folders may have files of one name."""
    found = [path] if path.is_file() else list(_files_under(path, failed))
    if not (found or failed):
        raise FileAbsentError(f"holds no {', '.join(_FILES)}")
    names = {file: file.name if file == path else str(file.relative_to(path)) for file in found}
    return [Link(name, str(file), size=file.stat().st_size) for file, name in names.items()]


def _is_due(feed: Feed, ledger: Ledger, now: datetime) -> bool:
    # Longer than anybody is left alone, a clock that was wrong has noted.
    is_refused = ledger.busy_until and now < ledger.busy_until <= now + timedelta(seconds=MOST_PEACE)
    return not is_refused and not _lately(ledger.listed_at, now, feed.every)


def _lately(at: datetime | None, now: datetime, within: timedelta) -> bool:
    """Whether that was so lately. What is to come was noted by a clock that was wrong."""
    return at is not None and timedelta(0) <= now - at < within


def _look(run: Run, web: Web, feed: Feed, url: str) -> list[Offer]:
    """What the feed's folder offers and was not taken, newest first."""
    ledger = run.ledgers[feed.name]
    try:
        listed = web.list_folder(url, ledger.tag)
    except FileAbsentError as error:
        ledger.listed_at = run.now  # no sooner than the feed's pace: a mirror may never have it
        raise FileAbsentError(f"{error}; if it never is, leave {feed.name} out of NEMWARM_FEEDS") from error
    offers = _new(run, feed, *listed) if listed else []  # else it is as it was, and all of it taken
    ledger.listed_at = run.now
    return offers


def _new(run: Run, feed: Feed, links: list[Link], tag: str) -> list[Offer]:
    """Those of the folder's ``links`` that were not taken, newest first; what it no longer offers becomes a gap."""
    ledger = run.ledgers[feed.name]
    times = {link.name: time for link in links if (time := feed.time_of(link.name))}
    if not times:
        raise SourceFormatError(f"it lists {len(links)} files, and none is a {feed.stem}")
    oldest, newest = min(times.values()), max(times.values())
    ledger.since = ledger.since or newest - feed.look_back
    ledger.gaps = joined([*ledger.gaps, *_gaps(feed, ledger, times, oldest)]) if feed.archived else []
    known = ledger.seen.items()  # those of archives stay: what was refused waits for another version
    ledger.seen = {name: seen for name, seen in known if name in times or feed.period_of(name) or table_of(name)}
    ledger.newest = max(newest, ledger.newest or newest)
    wanted = [link for link in links if link.name in times and times[link.name] >= ledger.since]
    wanted.sort(key=lambda link: (times[link.name], link.name), reverse=True)
    offers = run.offers(feed.name, wanted, _is_done)
    ledger.pending = {offer.link.name for offer in offers}
    ledger.tag = "" if offers else tag
    return offers


def _is_done(seen: Seen, link: Link) -> bool:
    """Whether a feed's file need not be asked for: it landed, or the folder says it is still what was refused."""
    return not seen.reason or seen.stamp == link.stamp != ""


def _is_same(seen: Seen, link: Link, *, strict: bool) -> bool:
    """Whether the folder has what was taken, and taking it again would come to the same."""
    return seen.stamp == link.stamp != "" and (strict or not seen.reason)


def _gaps(feed: Feed, ledger: Ledger, times: dict[str, datetime], oldest: datetime) -> Iterator[Window]:
    """What went by unseen: files once offered and never landed, and all between the last look and the oldest offered."""
    step = feed.step or INTERVAL
    refused = [name for name, seen in ledger.seen.items() if seen.reason]
    for name in (*ledger.pending, *refused):
        if name not in times and (time := feed.time_of(name)):
            yield Window(floor(time - step, "5min"), ceil(time, "5min"))
    if ledger.newest and ledger.newest + step < oldest:
        yield Window(floor(ledger.newest, "5min"), ceil(oldest - step, "5min"))


def _repair(run: Run, web: Web, feed: Feed, addresses: Addresses) -> None:
    """Close gaps of the feed from its archive, a few files a run; from the monthly archive where that is too young."""
    ledger = run.ledgers[feed.name]
    if not ledger.gaps or _lately(ledger.repaired_at, run.now, REPAIR_EVERY):
        return
    archive = addresses.of_archive(feed)
    if (links := run.noted(feed.name, f"archive of {feed.folder}", lambda: _offered(web, archive) or [])) is None:
        return
    periods = {link: period for link in links if (period := feed.period_of(link.name))}
    meeting = sorted((link for link in periods if _meets(ledger.gaps, periods[link])), key=lambda link: periods[link])
    needed = []
    for link in meeting:
        seen = ledger.seen.get(link.name)
        if seen is None or not _is_same(seen, link, strict=True):
            needed.append(link)
        elif not seen.reason:  # what it lacks of the gap it will not gain
            ledger.close(periods[link])
    for link in needed[:MOST_REPAIRS]:
        run.take([Offer(feed.name, link, repairs=periods[link])])
    if len(needed) <= MOST_REPAIRS:
        ledger.repaired_at = run.now
        archived_until = max((period.end for period in periods.values()), default=market_time(run.now))
        _repair_by_month(run, web, feed, addresses, archived_until)


def _repair_by_month(run: Run, web: Web, feed: Feed, addresses: Addresses, archived_until: datetime) -> None:
    """The oldest month of a gap that the feed's archive goes past and does not hold."""
    ledger = run.ledgers[feed.name]
    passed = [gap for gap in ledger.gaps if gap.end <= archived_until]
    if not passed:
        return
    start = floor(passed[0].start, "1M")
    month = addresses.of_month(start.date())
    listed = run.noted(feed.name, f"{start:%Y-%m} of the monthly archive", lambda: _offered(web, month))
    if listed is None:  # not published yet, perhaps
        return
    links = [link for link in listed if table_of(link.name) in feed.monthly_tables]
    run.take(run.offers(feed.name, links, _is_done))
    landed = {link for link in links if (seen := ledger.seen.get(link.name)) and not seen.reason}
    if landed == set(links) and {table_of(link.name) for link in landed} == set(feed.monthly_tables):
        ledger.close(Window(start, floor(start + timedelta(days=32), "1M")))


def _meets(gaps: list[Window], period: Window) -> bool:
    return any(gap.overlap(Window(period.start - EDGE, period.end + EDGE)) for gap in gaps)


def _of_history(run: Run, web: Web, addresses: Addresses, feeds: Iterable[Feed], window: Window) -> list[Link]:
    """The files that hold the month of ``window``, in the order to land them."""
    month = window.start.date().replace(day=1)
    folder, zipped = addresses.of_month(month), addresses.of_whole_month(month)
    if tables := [link for link in _offered(web, folder) or [] if table_of(link.name) in MONTHLY]:
        return _in_order(tables)
    # Before 2015 there is no such folder any more, and before about the 20th of the next month none yet.
    place, _, name = zipped.rpartition("/")
    if whole := [link for link in _offered(web, f"{place}/") or [] if link.name == name]:
        return whole
    days = [
        link
        for feed in feeds
        if feed.step and feed.monthly_tables
        for link in _archived(run, web, feed, addresses, window)
    ]
    if not days:
        raise FileAbsentError(
            f"{month:%Y-%m} is neither in the monthly archive, {folder} or {zipped}, nor in those of the feeds"
        )
    return days


def _offered(web: Web, url: str) -> list[Link] | None:
    """What a folder lists; None where there is no such folder."""
    try:
        return _listed(web, url)
    except FileAbsentError:
        return None


def _archived(run: Run, web: Web, feed: Feed, addresses: Addresses, window: Window) -> list[Link]:
    """The files of the feed's archive that hold any of ``window``."""
    links = run.noted(HISTORY, f"archive of {feed.folder}", lambda: _listed(web, addresses.of_archive(feed)))
    return [link for link in links or [] if (period := feed.period_of(link.name)) and _meets([window], period)]


def _in_order(links: Iterable[Link]) -> list[Link]:
    return sorted(links, key=lambda link: landing_order(link.name.rpartition("/")[2]))


def _listed(web: Web, url: str) -> list[Link]:
    listed = web.list_folder(url)
    return listed[0] if listed else []


def _files_under(folder: Path, failed: dict[str, str]) -> Iterator[Path]:
    """The files of use in ``folder`` and below; a folder that cannot be listed is put into ``failed``."""

    def note(error: OSError) -> None:
        failed[str(error.filename)] = f"cannot be listed: {error.strerror}"

    for place, folders, names in os.walk(folder, onerror=note):
        folders[:] = [name for name in folders if name.upper() != "DUPLICATE"]
        found = (Path(place, name) for name in names if name.lower().endswith(_FILES))
        yield from (path for path in found if path.is_file())
