"""A day in figures: each beside the same hours of the day before and of a year before."""

from __future__ import annotations

from collections.abc import Callable

from dashboard import markup
from dashboard.definitions import RENEWABLE, SHARE
from dashboard.palette import REGION_NAMES
from dashboard.tables.summary import Day, Summary
from nem.regions import NEM

Words = Callable[[float | None], str]


def day_facts(summary: Summary, region: str) -> str:
    """The head and the figures, with what they are compared with."""
    today = summary.today.window
    when = f"{today.start:%a %d %b %Y}, {today.start:%H:%M} to {'24:00' if today.end.hour == today.end.minute == 0 else f'{today.end:%H:%M}'}"
    before = {"yesterday": summary.yesterday, "last year": summary.last_year}
    held = {name: day for name, day in before.items() if day}
    missing = [name for name in before if name not in held]
    reach = f"; the data does not reach {' or '.join(missing)}" if missing else ""
    aside = f"<span>beside the same hours of yesterday and of last year{reach}</span>"
    facts = "".join(_fact(summary.today, held, *fact) for fact in _facts(region))
    return markup.header(f"The day, {REGION_NAMES[region]}", when, aside) + f'<div class="facts day">{facts}</div>'


def _facts(region: str) -> list[tuple[str, str, str, Words, str]]:
    """Name, definition, which of a day's, words, and how its change is told: in percent, in points of a share, or not at all."""
    mean = "weighted by demand" if region == NEM else "mean of the 5-minute prices"
    any_region = ", of any region" if region == NEM else ""
    return [
        ("Average price", f"$/MWh, {mean}", "mean_price", markup.dollars, "percent"),
        ("High", f"highest 5-minute price{any_region}", "rrp_max", markup.dollars, ""),
        ("Low", f"lowest 5-minute price{any_region}", "rrp_min", markup.dollars, ""),
        ("Supplied", f"energy {SHARE}", "supply_mwh", _gwh, "percent"),
        ("Demand", "energy: mean demand times hours", "demand_mwh", _gwh, "percent"),
        ("Renewable", RENEWABLE, "renewable_share", markup.percent, "points"),
        ("Gas", SHARE, "gas_share", markup.percent, "points"),
        ("Coal", SHARE, "coal_share", markup.percent, "points"),
    ]


def _gwh(value: float | None) -> str:
    return markup.number(value, ",.0f", " GWh", per=1e3)


def _fact(today: Day, before: dict[str, Day], name: str, tip: str, field: str, words: Words, change: str) -> str:
    now, region = getattr(today, field), getattr(today, f"{field}_in", None)
    whose = f" <i>{region}</i>" if region else ""
    lines = "".join(
        f"<small><em>{label}</em> {words(then)} {_change(now, then, change)}</small>"
        for label, then in ((label, getattr(day, field)) for label, day in before.items())
    )
    return f'<div title="{tip}"><span>{name}{whose}</span><b>{words(now)}</b>{lines}</div>'


def _change(now: float | None, then: float | None, change: str) -> str:
    if now is None or then is None or not change:
        return ""
    if change == "points":
        return f"({_signed(100 * (now - then))} pp)"
    return f"({_signed(100 * (now / then - 1))}%)" if then > 0 else ""


def _signed(value: float) -> str:
    return markup.plus(value, markup.number(value, ",.1f"))
