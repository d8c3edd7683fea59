"""Small pieces of HTML: numbers, receipts, tables and cards. Every text from data is escaped here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from html import escape
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nem.windows import INTERVAL

if TYPE_CHECKING:
    from cache_store.answer import Receipt
    from nem.windows import Window

Cell = tuple[str, Any]  # HTML, and the value to sort by
Row = tuple[str, Sequence[Cell]]  # attributes, and cells
Head = tuple[str, str, *tuple[Any, ...]]  # heading, tooltip
Field = tuple[str, str, Callable[[Any], Cell]]  # of a table: heading, tooltip, and the cell of what a row is of
Column = tuple[str, str, Callable[[Any], str]]  # of one that is not sorted: likewise, and its words
ASSETS = Path(__file__).parent / "assets"
MISSING = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
RESOLUTION_WORDS = {"5min": "5 min", "30min": "30 min", "1h": "1 h", "1d": "1 day", "1M": "1 month"}
ORIGIN_WORDS = {
    "cache": ("cache", "answered from warmed partitions"),
    "live": ("live", "answered by running the query on the source"),
    "mixed": ("cache + live", "partitions, with the rest run on the source"),
    "stale": ("stale, refreshing", "partitions past their time to live, marked until they are rebuilt"),
}
_QUERY_WORDS = {
    "generation_by_fuel": "generation",
    "regional_price": "prices",
    "capacity_factor": "units",
    "interconnector_flow": "flows",
}


@cache
def asset(name: str) -> str:
    """The text of a file this package serves."""
    return (ASSETS / name).read_text(encoding="utf-8")


def number(value: float | None, form: str = ",.0f", unit: str = "", *, per: float = 1) -> str:
    """A number as text in a unit that is ``per`` of its own; a dash for what is missing."""
    if value is None:
        return MISSING
    text = format(value / per, f"z{form}")  # z: what rounds to nothing has no sign
    return f"{text}{unit}".replace("-", _MINUS)


def gwh(value_mwh: float | None, unit: str = "") -> str:
    """An energy in GWh."""
    return number(value_mwh, ",.1f", unit, per=1e3)


def plus(value: float | None, text: str) -> str:
    """A change with its sign: the number's own minus, or a plus unless it rounds to nothing."""
    return f"+{text}" if value is not None and value > 0 and re.search("[1-9]", text) else text


def dollars(value: float | None, form: str = ",.2f") -> str:
    """A price or an amount, its sign before the dollar."""
    if value is None:
        return MISSING
    return f"{_MINUS if round(value, 2) < 0 else ''}${abs(value):{form}}"


def in_millions(value_aud: float | None) -> str:
    """An amount in millions, under a heading that says so."""
    return number(value_aud, ",.2f", per=1e6)


def millions(value_aud: float | None) -> str:
    """An amount in millions of dollars."""
    return MISSING if value_aud is None else f"{dollars(value_aud / 1e6)} m"


def percent(value: float | None, digits: int = 1) -> str:
    """A ratio of 0 to 1 in percent."""
    return MISSING if value is None else f"{value * 100:z.{digits}f}%".replace("-", _MINUS)


def factor(value: float | None) -> str:
    """A capacity factor, with a badge above 100 %."""
    badge = '<span class="badge" title="more than the registered capacity">above 100 %</span>'
    return f"{percent(value)}{badge if value and value > 1 else ''}"


def moment(time: datetime | None) -> str:
    """A NEM time to the minute."""
    return MISSING if time is None else f"{time:%Y-%m-%d %H:%M}"


def stretch(window: Window) -> str:
    """From when to when, in words."""
    return f"{moment(window.start)} to {moment(window.end)}"


def lag(minutes: float) -> str:
    """How far behind something is, in the unit that suits it."""
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:,.1f} h" if minutes < 2_880 else f"{minutes / 1_440:,.0f} days"


def bar(share: float | None, colour: str, text: str = "") -> str:
    """A share of 0 to 1 as a bar, and in percent or as ``text``."""
    if share is None:
        return MISSING
    width = min(max(share, 0.0), 1.0) * 100
    return (
        f'<span class="bar"><i style="width:{width:.1f}%;background:{colour}"></i></span>'
        f'<span class="of">{text or percent(share)}</span>'
    )


def swatch(colour: str) -> str:
    """A small square of colour."""
    return f'<i class="swatch" style="background:{colour}"></i>'


def named(colour: str, label: str) -> Cell:
    """What a row is of: a colour and a name."""
    return f"{swatch(colour)}{label}", label


def header(title: str, unit: str = "", aside: str = "") -> str:
    """The head of a card: title, unit, and what stands at its right."""
    return f'<div class="head"><h2>{escape(title)}</h2><span class="unit">{escape(unit)}</span><div class="aside">{aside}</div></div>'


def switch(label: str, field: str, words: Mapping[Any, str], chosen: str) -> str:
    """A row of buttons, one of which is chosen; each tells the page ``field=value``."""
    buttons = "".join(
        f'<button type="button" data-pick="{field}={value}" aria-pressed="{str(value == chosen).lower()}">{word}</button>'
        for value, word in words.items()
    )
    return f'<nw-choice class="switch" role="group" aria-label="{label}" field="{field}">{buttons}</nw-choice>'


def options(label: str, field: str, words: Mapping[str, str], chosen: str) -> str:
    """A list that drops down, one of which is chosen; as a `switch` tells. What has no value is no choice."""
    told = "".join(
        f'<option value="{escape(value)}"{" selected" * (value == chosen)}{" hidden" * (not value)}>{escape(word)}</option>'
        for value, word in words.items()
    )
    return f'<nw-choice field="{field}"><select aria-label="{label}">{told}</select></nw-choice>'


def days_form(tip: str, shown: Window, word: str, *, field: str = "range", within: Window | None = None) -> str:
    """A pop-up with the first and last day of ``shown``, both included; it tells the page ``field=`` and the range chosen.

    Its button says ``word``; without one the days themselves, which are then chosen. No day is on offer but ``within``.
    """
    first, last = _days(shown)
    low, high = _days(within) if within else ("", "")
    fields = "".join(
        f'<label>{label}<input type="date" name="{name}" value="{value}" min="{low}" max="{high}" required></label>'
        for label, name, value in (("First day", "first", first), ("Last day", "last", last))
    )
    return (
        f'<details class="popover{"" if word else " chosen"}"><summary aria-label="{tip}">{word or f"{first} to {last}"}</summary>'
        f'<nw-dates field="{field}"><form class="pop">{fields}<p role="alert"></p><button>Show</button></form></nw-dates></details>'
    )


def _days(window: Window) -> tuple[date, date]:
    return window.start.date(), (window.end - INTERVAL).date()


def cell(words: Callable[[Any], str], value: Any) -> Cell:
    """A value in ``words`` of it."""
    return words(value), value


def of(words: Callable[[Any], str], name: str) -> Callable[[Any], Cell]:
    """How a field tells the attribute called so: in ``words``, and to sort by."""
    value = attrgetter(name)
    return lambda one: cell(words, value(one))


def told(columns: Sequence[Field], one: Any, attributes: str = "") -> Row:
    """The row that ``columns`` tell of ``one``."""
    return attributes, [tell(one) for _, _, tell in columns]


def table(heads: Iterable[Head], rows: Iterable[Row], *, kind: str = "") -> str:
    """A table under the headings; of fields too, of which `told` makes rows."""
    top = "".join(f'<th scope="col" title="{escape(tip, quote=True)}">{escape(name)}</th>' for name, tip, *_ in heads)
    body = "".join(f"<tr {attributes}>{''.join(_cell(*cell) for cell in cells)}</tr>" for attributes, cells in rows)
    return f'<div class="scroll"><table class="{kind}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def sorted_table(heads: Iterable[Head], rows: Iterable[Row], kind: str, attributes: str = "") -> str:
    """A table that a reader can sort by any of its columns."""
    return f"<nw-table{attributes}>{table(heads, rows, kind=kind)}</nw-table>"


def listed(things: Iterable[Any], none: str, *columns: Column, kind: str = "") -> str:
    """A table with a row for each of ``things``; ``none`` without any."""
    rows = [("", [(tell(one), "") for _, _, tell in columns]) for one in things]
    return table(columns, rows, kind=kind) if rows else f"<p>{none}</p>"


def _cell(html: str, value: Any) -> str:
    return f'<td data-v="{"" if value is None else escape(str(value), quote=True)}">{html}</td>'


def receipt_line(receipts: Sequence[Receipt]) -> str:
    """Where a card's numbers came from and how old they are; opened, every segment of every query. Of none, nothing."""
    if not receipts:
        return ""
    held = [receipt for receipt in receipts if receipt.coverage] or receipts[:1]
    first, origin = held[0], _origin(held)
    word, meaning = ORIGIN_WORDS[origin]
    parts = [f"{RESOLUTION_WORDS[first.resolution]} resolution", f"data to {moment(_oldest(receipts))} NEM"]
    built = min((receipt.built_at for receipt in receipts if receipt.built_at), default=None)
    if built:
        parts.append(f"built {_age(built, first.now)}")
    least: dict[str, float] = {}
    for receipt in sorted(receipts, key=lambda one: -one.coverage):  # the least of a query's is told last, and alone
        least[_QUERY_WORDS[receipt.query]] = receipt.coverage
    parts += [
        f"{what} for {percent(share)} of the range" if share else f'<b class="late">no {what} here</b>'
        for what, share in least.items()
        if share < 1
    ]
    line = "".join(f"<span>{part}</span>" for part in parts)
    return (
        f'<details class="receipt {origin}"><summary title="{meaning}: click for the segments">'
        f'<b class="origin">{word}</b>{line}</summary>{"".join(map(_segments, receipts))}</details>'
    )


def _origin(receipts: Sequence[Receipt]) -> str:
    # Where the numbers came from, which being held in memory since does not change.
    origins = {replace(receipt, from_memory=False).origin for receipt in receipts}
    if "stale" in origins:
        return "stale"
    return origins.pop() if len(origins) == 1 else "mixed"


def _oldest(receipts: Sequence[Receipt]) -> datetime | None:
    """How far the query that lags most reaches; of one asked about several ranges, its newest counts."""
    reach: dict[str, datetime] = {}
    for receipt in receipts:
        if receipt.data_through:
            reach[receipt.query] = max(receipt.data_through, reach.get(receipt.query, receipt.data_through))
    return min(reach.values(), default=None)


def _age(built: datetime, now: datetime) -> str:
    # Counted from the clock the answer was judged by, which for a bundled past is not the wall's.
    seconds = max(0, round((now - built).total_seconds()))
    return f'<nw-age seconds="{seconds}">{built.astimezone(UTC):%Y-%m-%d %H:%M} UTC</nw-age>'


def _segments(receipt: Receipt) -> str:
    rows = listed(
        receipt.segments,
        "",
        ("after", "", lambda one: moment(one.window.start)),
        ("to", "", lambda one: moment(one.window.end)),
        ("origin", "", lambda one: one.origin),
        ("why", "", lambda one: one.reason.replace("_", " ")),
        ("grain", "", lambda one: RESOLUTION_WORDS[one.grain]),
        ("built", "", lambda one: _age(one.built_at, receipt.now) if one.built_at else MISSING),
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in receipt.notes)
    memory = "<p>This answer was held in memory.</p>" if receipt.from_memory else ""
    return f'<div class="segments"><h3>{escape(receipt.query)}</h3>{rows}{memory}{notes}</div>'
