"""Data health: what feeds the lake and how far behind, what the store holds and how fresh, and what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING

from dashboard.data import LATE_MINUTES
from dashboard.errors import card, describe
from dashboard.markup import MISSING, RESOLUTION_WORDS, asset, header, lag, listed, moment, number, percent, stretch
from nem.windows import RESOLUTIONS, Resolution, Window, market_time

if TYPE_CHECKING:
    from cache_store.history import Run
    from cache_store.status import Overview, SeriesStatus
    from cache_store.usage import Tally
    from nem.taken import Taken


@dataclass(frozen=True, slots=True)
class Feed:
    """A table of the source: its newest label (NEM time), and how far that is behind the newest due."""

    table: str
    newest: datetime
    lag: timedelta


@dataclass(frozen=True, slots=True)
class Day:
    """The newest 24 hours by the market's own count: ``missing`` and ``provisional`` readings, ``unknown`` DUIDs.

    Of 5-minute prices, ``unconfirmed`` in those hours, and ``revised`` since NEM midnight (of whatever day). None is
    what nothing is held of in those hours.
    """

    window: Window
    readings: int | None
    missing: int | None
    provisional: int | None
    unknown: tuple[str, ...] | None
    unconfirmed: int | None
    revised: int


@dataclass(frozen=True, slots=True)
class Health:
    """Facts of one instant, ``now`` (UTC). ``day`` is None while nothing can be asked; ``use`` is by query and the resolution asked.

    ``taken`` is what came of each feed of AEMO's when it was last looked at.
    """

    now: datetime
    feeds: Sequence[Feed]
    day: Day | None
    store: Overview
    use: Mapping[tuple[str, Resolution], Tally]
    notes: Sequence[str] = ()
    taken: Sequence[Taken] = ()


def page_of(look: Callable[[], Health]) -> str:
    """The page of this installation's health as it is now."""
    try:
        parts = render(look())
    except Exception as error:  # noqa: BLE001 - the page of what is wrong must come up when something is
        parts = f'<section class="card">{card(describe(error))}</section>'
    return (
        asset("health.html")
        .replace("<!--css-->", asset("page.css") + _plain(asset("parts.css")))
        .replace("<!--parts-->", parts)
    )


def _plain(css: str) -> str:
    """A style sheet written for a shadow root, for a page without one."""
    return css.replace(":host", "main")


def render(health: Health) -> str:
    """The facts as HTML."""
    parts = [_taken(health), _series(health), _use(health), _runs(health)]
    notes = "".join(f"<p>{escape(note)}</p>" for note in health.notes)
    if notes:
        parts.append(header("What the source says") + notes)
    told = "".join(f'<section class="card half">{part}</section>' for part in (_feeds(health), _day(health)))
    told += "".join(f'<section class="card">{part}</section>' for part in parts)
    return f'<p class="newest">As of <b>{moment(market_time(health.now))}</b> NEM time</p>{told}'


def _feeds(health: Health) -> str:
    return header("Feeds", "what the source holds") + listed(
        health.feeds,
        "The source holds nothing.",
        ("Table", "", lambda one: escape(one.table)),
        ("Newest label", "NEM time, interval-ending", lambda one: moment(one.newest)),
        ("Behind", "the newest label due by now", lambda one: _lag(one.lag)),
    )


def _taken(health: Health) -> str:
    return header("Files taken", "when each feed was last looked at") + listed(
        health.taken,
        "Nothing was taken from AEMO into this lake yet.",
        ("Feed", "of AEMO's server, a month of its archive, or a place that was named", lambda one: escape(one.name)),
        ("Looked at", "UTC", lambda one: _when(one.checked_at)),
        ("Landed", "files", lambda one: number(one.landed)),
        (
            "Rejected",
            "files that are not as they should be: kept in quarantine, with why",
            lambda one: _named(one.rejected_count, one.rejected),
        ),
        (
            "Failed",
            "files or folders that could not be had",
            lambda one: _named(len(one.failed), one.failed),
        ),
        (
            "Gaps",
            "times of files no longer offered and never taken, NEM time",
            lambda one: ", ".join(map(stretch, one.gaps)) or MISSING,
        ),
        kind="runs",
    )


def _named(count: int, why: Mapping[str, str]) -> str:
    if not count:
        return "0"
    told = "; ".join(f"{name}: {reason}" for name, reason in why.items())
    return f'<b class="flag" title="{escape(told[:2_000])}">{count:,}</b>'


def _lag(behind: timedelta) -> str:
    minutes = max(0.0, behind.total_seconds() / 60)
    text = lag(minutes)
    return f'<b class="late flag">{text}</b>' if minutes > LATE_MINUTES else text


def _day(health: Health) -> str:
    day = health.day
    if day is None:
        return header("Newest 24 hours") + "<p>Nothing can be asked of the source or the store.</p>"
    return header("Newest 24 hours", stretch(day.window)) + listed(
        [day],
        "",
        (
            "Missing readings",
            "a unit's 5-minute intervals without a SCADA reading, among units that reported that day",
            _missing,
        ),
        ("Provisional", "intervals whose closing reading has not arrived", lambda day: number(day.provisional)),
        (
            "Prices unconfirmed",
            "regions' 5-minute prices that are not firm, or that AEMO reviews",
            lambda day: number(day.unconfirmed),
        ),
        (
            "Prices revised today",
            "of whatever day: changed since NEM midnight, and more than half an hour after their interval",
            lambda day: number(day.revised),
        ),
        ("Unknown units", "with readings and in no registry: counted as fuel unknown", _unknown),
    )


def _missing(day: Day) -> str:
    if day.missing is None or not day.readings:
        return number(day.missing)
    return f"{number(day.missing)}<small>{percent(day.missing / day.readings)} of readings</small>"


def _unknown(day: Day) -> str:
    if day.unknown is None:
        return MISSING
    return f"{len(day.unknown)}<small>{escape(', '.join(day.unknown[:12]))}</small>"


def _series(health: Health) -> str:
    total = sum(one.byte_count for one in health.store.series)
    return header("Warmed partitions", number(total, ",.1f", " MB", per=1e6)) + listed(
        health.store.series,
        "",
        ("Query", "", lambda one: escape(one.query)),
        ("Grain", "", lambda one: RESOLUTION_WORDS[one.grain]),
        ("Partitions", "", lambda one: number(one.partitions)),
        ("Fresh", "inside their time to live", _fresh),
        ("MB", "on disk", lambda one: number(one.byte_count, ",.1f", per=1e6)),
        ("Data to", "NEM time", lambda one: moment(one.data_through)),
        ("Last built", "UTC", lambda one: _when(one.built_at)),
        (
            "Took",
            "the last build of a partition of this grain, once the finer ones were made",
            lambda one: number(one.build_seconds, ",.2f", " s"),
        ),
        ("Last verified", "UTC: its source's version was checked", lambda one: _when(one.verified_at)),
    )


def _fresh(one: SeriesStatus) -> str:
    if not one.partitions:
        return MISSING
    told = f"{one.fresh:,} of {one.partitions:,}"
    return f'<span class="flag">{told}</span>' if one.fresh < one.partitions else told


def _when(time: datetime | None) -> str:
    return MISSING if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"


def _use(health: Health) -> str:
    asked = sorted(health.use.items(), key=lambda one: (one[0][0], RESOLUTIONS.index(one[0][1])))
    return header("Asked by readers", f"hit ratio {percent(health.store.hit_ratio)}") + listed(
        [(*shape, tally) for shape, tally in asked if tally.count],
        "Nothing has been counted yet.",
        ("Query", "", lambda one: escape(one[0])),
        (
            "At",
            "the resolution asked, served from that grain or the next finer one stored",
            lambda one: RESOLUTION_WORDS[one[1]],
        ),
        ("Asked", "requests since usage was last swept", lambda one: number(one[2].count)),
        (
            "Hit ratio",
            "answered without asking the source",
            lambda one: percent(1 - one[2].live_count / one[2].count),
        ),
        ("Mean", "time an answer took", lambda one: number(one[2].seconds / one[2].count, ",.0f", " ms", per=1e-3)),
        (
            "Saved",
            "what asking the source instead would have taken besides",
            lambda one: f"{one[2].seconds_saved:,.0f} s" if one[2].live_count else MISSING,
        ),
    )


def _runs(health: Health) -> str:
    failures = [run for run in health.store.last_failures if run not in health.store.last_runs]
    return header("Last runs", "of each flow, and its last failure") + listed(
        [*health.store.last_runs, *failures],
        "No run has left word.",
        ("Run", "", lambda run: escape(run.name)),
        ("Began", "UTC", lambda run: _when(run.began_at)),
        ("Took", "", lambda run: f"{run.seconds:,.1f} s"),
        ("Built", "periods of a query", lambda run: number(run.periods)),
        ("Started by", "", lambda run: escape(run.trigger)),
        ("Outcome", "", _outcome),
        kind="runs",
    )


def _outcome(run: Run) -> str:
    failed = "" if run.outcome == "done" else f'<b class="flag">{run.outcome}</b> '
    return f"{failed}{escape(run.message)}"
