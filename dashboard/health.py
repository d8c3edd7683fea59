"""Data health: what feeds the lake and how far behind, what the store holds and how fresh, and what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any

from dashboard.data import LATE_MINUTES
from dashboard.errors import card, describe
from dashboard.markup import MISSING, RESOLUTION_WORDS, asset, header, lag, moment, number, percent, stretch, table
from nem.windows import RESOLUTIONS, Resolution, Window, market_time

if TYPE_CHECKING:
    from cache_store.history import Run
    from cache_store.status import Overview
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
    heads = [("Table", ""), ("Newest label", "NEM time, interval-ending"), ("Behind", "the newest label due by now")]
    rows = [("", [(escape(one.table), ""), (moment(one.newest), ""), (_lag(one.lag), "")]) for one in health.feeds]
    return header("Feeds", "what the source holds") + (
        table(heads, rows) if rows else "<p>The source holds nothing.</p>"
    )


def _taken(health: Health) -> str:
    heads = [
        ("Feed", "of AEMO's server, a month of its archive, or a place that was named"),
        ("Looked at", "UTC"),
        ("Landed", "files"),
        ("Rejected", "files that are not as they should be: kept in quarantine, with why"),
        ("Failed", "files or folders that could not be had"),
        ("Gaps", "times of files no longer offered and never taken, NEM time"),
    ]
    rows = [_taken_row(one) for one in health.taken]
    return header("Files taken", "when each feed was last looked at") + (
        table(heads, rows, kind="runs") if rows else "<p>Nothing was taken from AEMO into this lake yet.</p>"
    )


def _taken_row(one: Taken) -> tuple[str, list[tuple[str, Any]]]:
    rejected = _named(one.rejected_count, one.rejected)
    gaps = ", ".join(f"{moment(gap.start)} to {moment(gap.end)}" for gap in one.gaps) or MISSING
    cells = [
        escape(one.name),
        _when(one.checked_at),
        number(one.landed),
        rejected,
        _named(len(one.failed), one.failed),
        gaps,
    ]
    return "", [(cell, "") for cell in cells]


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
    heads = [
        ("Missing readings", "a unit's 5-minute intervals without a SCADA reading, among units that reported that day"),
        ("Provisional", "intervals whose closing reading has not arrived"),
        ("Prices unconfirmed", "regions' 5-minute prices that are not firm, or that AEMO reviews"),
        (
            "Prices revised today",
            "of whatever day: changed since NEM midnight, and more than half an hour after their interval",
        ),
        ("Unknown units", "with readings and in no registry: counted as fuel unknown"),
    ]
    missing, unknown = number(day.missing), MISSING
    if day.missing is not None and day.readings:
        missing += f"<small>{percent(day.missing / day.readings)} of readings</small>"
    if day.unknown is not None:
        unknown = f"{len(day.unknown)}<small>{escape(', '.join(day.unknown[:12]))}</small>"
    told = (missing, number(day.provisional), number(day.unconfirmed), number(day.revised), unknown)
    return header("Newest 24 hours", stretch(day.window)) + table(heads, [("", [(cell, "") for cell in told])])


def _series(health: Health) -> str:
    heads = [
        ("Query", ""),
        ("Grain", ""),
        ("Partitions", ""),
        ("Fresh", "inside their time to live"),
        ("MB", "on disk"),
        ("Data to", "NEM time"),
        ("Last built", "UTC"),
        ("Took", "the last build of a partition of this grain, once the finer ones were made"),
        ("Last verified", "UTC: its source's version was checked"),
    ]
    rows: list[tuple[str, list[tuple[str, Any]]]] = []
    for one in health.store.series:
        stale = one.fresh < one.partitions
        fresh = f"{one.fresh:,} of {one.partitions:,}" if one.partitions else MISSING
        rows.append(
            (
                "",
                [
                    (escape(one.query), ""),
                    (RESOLUTION_WORDS[one.grain], ""),
                    (number(one.partitions), ""),
                    (f'<span class="flag">{fresh}</span>' if stale else fresh, ""),
                    (number(one.byte_count, ",.1f", per=1e6), ""),
                    (moment(one.data_through), ""),
                    (_when(one.built_at), ""),
                    (number(one.build_seconds, ",.2f", " s"), ""),
                    (_when(one.verified_at), ""),
                ],
            )
        )
    total = sum(one.byte_count for one in health.store.series)
    return header("Warmed partitions", number(total, ",.1f", " MB", per=1e6)) + table(heads, rows)


def _when(time: datetime | None) -> str:
    return MISSING if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"


def _use(health: Health) -> str:
    heads = [
        ("Query", ""),
        ("At", "the resolution asked, served from that grain or the next finer one stored"),
        ("Asked", "requests since usage was last swept"),
        ("Hit ratio", "answered without asking the source"),
        ("Mean", "time an answer took"),
        ("Saved", "what asking the source instead would have taken besides"),
    ]
    asked = sorted(health.use.items(), key=lambda one: (one[0][0], RESOLUTIONS.index(one[0][1])))
    rows = [_use_row(query, resolution, one) for (query, resolution), one in asked if one.count]
    whole = percent(health.store.hit_ratio)
    return header("Asked by readers", f"hit ratio {whole}") + (
        table(heads, rows) if rows else "<p>Nothing has been counted yet.</p>"
    )


def _use_row(query: str, resolution: Resolution, one: Tally) -> tuple[str, list[tuple[str, Any]]]:
    cells = [
        escape(query),
        RESOLUTION_WORDS[resolution],
        number(one.count),
        percent(1 - one.live_count / one.count),
        f"{one.seconds / one.count * 1000:,.0f} ms",
        f"{one.seconds_saved:,.0f} s" if one.live_count else MISSING,
    ]
    return "", [(cell, "") for cell in cells]


def _runs(health: Health) -> str:
    heads = [
        ("Run", ""),
        ("Began", "UTC"),
        ("Took", ""),
        ("Built", "periods of a query"),
        ("Started by", ""),
        ("Outcome", ""),
    ]
    failures = [run for run in health.store.last_failures if run not in health.store.last_runs]
    rows = [_run_row(run) for run in (*health.store.last_runs, *failures)]
    return header("Last runs", "of each flow, and its last failure") + (
        table(heads, rows, kind="runs") if rows else "<p>No run has left word.</p>"
    )


def _run_row(run: Run) -> tuple[str, list[tuple[str, Any]]]:
    outcome = "" if run.outcome == "done" else f'<b class="flag">{run.outcome}</b> '
    cells = [
        escape(run.name),
        _when(run.began_at),
        f"{run.seconds:,.1f} s",
        number(run.periods),
        escape(run.trigger),
        f"{outcome}{escape(run.message)}",
    ]
    return "", [(cell, "") for cell in cells]
