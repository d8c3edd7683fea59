"""A day in figures: each beside the same hours of the day before and of a year before."""

from __future__ import annotations

from collections.abc import Callable

from dashboard import markup
from dashboard.definitions import RENEWABLE, SHARE
from dashboard.palette import REGION_NAMES
from dashboard.tables.summary import Day, Extreme, Summary
from nem.regions import NEM

Value = Callable[[Day], float | None]


def day_facts(summary: Summary, region: str) -> str:
    """The head and the figures, with what they are compared with."""
    today = summary.today.window
    when = f"{today.start:%a %d %b %Y}, {today.start:%H:%M} to {'24:00' if today.end.hour == today.end.minute == 0 else f'{today.end:%H:%M}'}"
    facts = "".join(_fact(summary, *fact) for fact in _facts(region))
    return (
        markup.header(f"The day, {REGION_NAMES[region]}", when, _against(summary))
        + f'<div class="facts day">{facts}</div>'
    )


def _against(summary: Summary) -> str:
    missing = [
        name for name, day in (("yesterday", summary.yesterday), ("last year", summary.last_year)) if day is None
    ]
    reach = f"; the data does not reach {' or '.join(missing)}" if missing else ""
    return f"<span>beside the same hours of yesterday and of last year{reach}</span>"


def _facts(region: str) -> list[tuple[str, str, Value, Callable[[float | None], str], str]]:
    """Name, definition, value, words, and how its change is told: in percent, in points of a share, or not at all."""
    mean = "weighted by demand" if region == NEM else "mean of the 5-minute prices"
    any_region = ", of any region" if region == NEM else ""
    return [
        ("Average price", f"$/MWh, {mean}", lambda day: day.mean_price, markup.dollars, "percent"),
        ("High", f"highest 5-minute price{any_region}", lambda day: _rrp(day.high), markup.dollars, ""),
        ("Low", f"lowest 5-minute price{any_region}", lambda day: _rrp(day.low), markup.dollars, ""),
        ("Supplied", f"energy {SHARE}", lambda day: day.supply_mwh, _gwh, "percent"),
        ("Demand", "energy: mean demand times hours", lambda day: day.demand_mwh, _gwh, "percent"),
        ("Renewable", RENEWABLE, lambda day: day.renewable_share, markup.percent, "points"),
        ("Gas", SHARE, lambda day: day.gas_share, markup.percent, "points"),
        ("Coal", SHARE, lambda day: day.coal_share, markup.percent, "points"),
    ]


def _rrp(extreme: Extreme | None) -> float | None:
    return extreme.rrp if extreme else None


def _gwh(value: float | None) -> str:
    return markup.number(value, ",.0f", " GWh", per=1e3)


def _fact(
    summary: Summary, name: str, tip: str, value: Value, words: Callable[[float | None], str], change: str
) -> str:
    now = value(summary.today)
    lines = "".join(
        f"<small><em>{label}</em> {words(value(day))} {_change(now, value(day), change)}</small>"
        for label, day in (("yesterday", summary.yesterday), ("last year", summary.last_year))
        if day is not None
    )
    return f'<div title="{tip}"><span>{name}{_whose(summary.today, name)}</span><b>{words(now)}</b>{lines}</div>'


def _whose(today: Day, name: str) -> str:
    extreme = {"High": today.high, "Low": today.low}.get(name)
    return f" <i>{extreme.region_id}</i>" if extreme else ""


def _change(now: float | None, then: float | None, change: str) -> str:
    if now is None or then is None or not change:
        return ""
    if change == "points":
        return f"({_signed(100 * (now - then))} pp)"
    return f"({_signed(100 * (now / then - 1))}%)" if then > 0 else ""


def _signed(value: float) -> str:
    return markup.plus(value, markup.number(value, ",.1f"))
