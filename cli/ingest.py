"""The command that lands data: AEMO's current feeds, its history, files from elsewhere, the sample."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cli.codes import BAD_REQUEST, NO_ANSWER, OK, complain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from cache_store.settings import Settings
    from nem.taken import Ingested


def run_ingest(arguments: argparse.Namespace) -> int:
    """Land data and print what came of it; 3 if anything asked for did not land."""
    from cache_store.settings import Settings

    settings = Settings()
    if problem := _check(arguments):
        return complain(problem, BAD_REQUEST)
    if arguments.sample:
        return _land_sample(settings.lake)
    code = OK
    for done in _ingest(settings, arguments):
        _wipe()
        print(done.message)
        for table, days in done.days.items():
            print(f"  {table:18} {len(days):4} days changed, {days[0]} to {days[-1]}")
        if done.unknown_units:
            print(f"  units without registration: {', '.join(done.unknown_units[:10])}", file=sys.stderr)
        for problem in done.problems:
            code = complain(problem, NO_ANSWER)
    print("Source: AEMO")
    return code


def _check(arguments: argparse.Namespace) -> str:
    """What is wrong with the request; empty if nothing."""
    place, edges = arguments.place, (arguments.start, arguments.end)
    # Not whether they are empty: that is what a shell makes of a variable that is not set.
    is_elsewhere, is_history = arguments.sample or place is not None, edges != (None, None)
    if is_history and is_elsewhere:
        return "--start and --end are of AEMO's history: give them without --sample or --from"
    if is_history and None in edges:
        return "history needs both --start and --end"
    if arguments.feed and (is_elsewhere or is_history):
        return "--feed is of the current feeds: give it without --sample, --from, --start and --end"
    if place is not None and not _is_address(place) and not (place and Path(place).expanduser().exists()):
        return f"there is no {place}: give a folder, a file or an http address"
    return ""


def _is_address(place: str) -> bool:
    return place.lower().startswith(("http://", "https://"))


def _land_sample(lake: Path) -> int:
    from nem.lake import land_sample
    from nem.source import check_ours

    check_ours(lake)
    for table, days in land_sample(lake).items():
        print(f"{table:16} {len(days):3} days landed")
    print(f"the sample is in {lake}. Source: AEMO")
    return OK


def _ingest(settings: Settings, arguments: argparse.Namespace) -> Iterator[Ingested]:
    """What was asked for: one part, or a month at a time, newest first."""
    from cli.installation import window_of
    from nem.ingest import ingest_current, ingest_month, ingest_place
    from nem.nemweb import open_web
    from nem.windows import months_of

    lake, addresses, place, progress = settings.lake, settings.nemweb, arguments.place, _progress
    now, strict, force = datetime.now(UTC), not arguments.trimmed, arguments.force
    with open_web(agent=settings.user_agent) as web:
        if place is not None:
            at_server = web if _is_address(place) else None
            where = place if at_server else Path(place).expanduser()
            yield ingest_place(lake, where, now=now, web=at_server, strict=strict, progress=progress)
        elif arguments.start is not None:
            for month in months_of(window_of(arguments), now):
                asked = (lake, web, addresses, month)
                yield ingest_month(*asked, now=now, feeds=settings.feeds, strict=strict, force=force, progress=progress)
        else:
            feeds = arguments.feed or settings.feeds
            yield ingest_current(lake, web, addresses, now=now, feeds=feeds, progress=progress)


def _progress(done: int, count: int, name: str) -> None:
    """One line of a terminal, over and over; nothing where there is no terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{done + 1} of {count}  {name[:60]}", end="", file=sys.stderr, flush=True)


def _wipe() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
