"""Timing ways to one answer in turn, so that a noisy moment falls on all of them, and the scoreboard's lines."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.budgets import BUDGETS

MS = 1000.0
MOST_IN_A_ROUND = 7  # runs of a quick way while a slow one runs once
LEAST_ROUNDS = 2

Way = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the scoreboard: a median of ours and perhaps of a rival's, in ``unit``.

    ``spread`` is the quartile distance over the median. ``budget`` is a name in BUDGETS. ``picture`` draws the figures
    over ``along``. A line without ``ours`` says what was not measured, and why.
    """

    case: str
    ours: str = ""
    mine: float = 0.0
    unit: str = "ms"
    spread: float = 0.0
    rival: str = ""
    theirs: float | None = None
    their_spread: float = 0.0
    budget: str = ""
    note: str = ""
    picture: str = ""
    along: float = 0.0

    @property
    def strain(self) -> float:
        """How much of its budget is used: more than 1 is a miss."""
        return BUDGETS[self.budget].strain(self.mine, self.theirs)

    @property
    def verdict(self) -> str:
        """pass, MISS, or nothing where there is no budget."""
        return "" if not self.budget else "pass" if self.strain <= 1 else "MISS"


class AnswersDifferError(Exception):
    """Two ways to one answer disagree: nothing of them may be timed."""


class MissingRivalError(Exception):
    """A rival is not here; says how to come by it."""


def check(holds: bool, what: str) -> None:
    """Raise ``AnswersDifferError`` unless ``holds``."""
    if not holds:
        raise AnswersDifferError(f"not timed, the answers differ: {what}")


def agree(one: pa.Table, other: pa.Table) -> bool:
    """Equal to rounding: floats are summed in another order each time."""
    if one.num_rows != other.num_rows or one.column_names != other.column_names:
        return False
    return all(_column_agrees(one[name].combine_chunks(), other[name].combine_chunks()) for name in one.column_names)


def _column_agrees(one: pa.Array, other: pa.Array) -> bool:
    if not pa.types.is_floating(one.type):
        return one.equals(other)
    apart = pc.max(pc.abs(pc.subtract(one, other))).as_py() or 0.0
    scale = pc.max(pc.abs(one)).as_py() or 1.0
    return one.is_null().equals(other.is_null()) and apart <= 1e-9 * scale + 1e-9


def timed(run: Way) -> float:
    """How long ``run`` takes, ms."""
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * MS


def race(
    case: str, ways: Mapping[str, Way], *, seconds: float, same: Callable[[Any, Any], bool] = agree
) -> dict[str, list[float]]:
    """Times in ms of every way, in turn for about ``seconds``, ``LEAST_ROUNDS`` at least.

    In the round before, which is not counted, every way's answer must be the ``same`` as the first one's. In a round a
    quick way runs several times in a row, so that it has more samples than a slow one.

    Raises:
        AnswersDifferError: it is not.
    """
    first: dict[str, float] = {}
    expected: Any = None
    for name, run in ways.items():
        began = time.perf_counter()
        answer = run()
        first[name] = time.perf_counter() - began
        expected = answer if expected is None else expected
        check(same(expected, answer), f"{case}: {name}")
    slowest = max(first.values())
    repeats = {name: max(1, min(MOST_IN_A_ROUND, int(slowest / max(one, 1e-6)))) for name, one in first.items()}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    until = time.perf_counter() + seconds
    rounds = 0
    while rounds < LEAST_ROUNDS or time.perf_counter() < until:
        for name, run in ways.items():
            taken[name] += [timed(run) for _ in range(repeats[name])]
        rounds += 1
    return taken


def spread(times: list[float]) -> float:
    """The distance between the quartiles over the median: 0.3 and more is a noisy machine."""
    if len(times) < 2:
        return 0.0
    low, _, high = statistics.quantiles(times, n=4, method="inclusive")
    return (high - low) / statistics.median(times)


def percentile(times: list[float], share: float) -> float:
    """The smallest time that ``share`` of them do not exceed."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def line(
    case: str, ours: str, mine: list[float], rival: str = "", theirs: list[float] | None = None, **facts: Any
) -> Row:
    """A row of medians; ``facts`` are more of its fields."""
    if theirs is not None:
        facts |= {"rival": rival, "theirs": statistics.median(theirs), "their_spread": spread(theirs)}
    return Row(case, ours, statistics.median(mine), spread=spread(mine), **facts)


def beside(
    case: str, taken: Mapping[str, list[float]], budgets: Mapping[str, str] | None = None, **facts: Any
) -> Iterator[Row]:
    """A row for the first of ``taken``, which is ours, beside every other, judged by that one's of ``budgets``."""
    ours, *rivals = taken
    for rival in rivals:
        yield line(case, ours, taken[ours], rival, taken[rival], budget=(budgets or {}).get(rival, ""), **facts)


def installed(rivals: Mapping[str, tuple[Any, str]]) -> tuple[dict[str, Any], list[Row]]:
    """Of rivals, each with the module it needs, those that can run; and a row for each that cannot."""
    found = {name: rival for name, (rival, module) in rivals.items() if find_spec(module)}
    return found, [Row(f"{name} was not measured: it is not installed") for name in rivals if name not in found]
