"""Timing ways to one answer in turn, so that a noisy moment falls on all of them, and the scoreboard's lines."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MS = 1000.0
MOST_IN_A_ROUND = 7  # runs of a quick way while a slow one runs once


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the scoreboard: a median of ours and perhaps of a rival's, in ``unit``.

    ``spread`` is the quartile distance over the median. ``at_most`` bounds ours, ``ratio_at_most`` ours over the
    rival's, ``times_better`` the rival's over ours.
    """

    section: str
    case: str
    ours: str
    mine: float
    unit: str = "ms"
    spread: float = 0.0
    rival: str = ""
    theirs: float | None = None
    their_spread: float = 0.0
    at_most: float | None = None
    ratio_at_most: float | None = None
    times_better: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over the rival's; the rival's over ours where ours is to be the better by a factor."""
        if self.theirs is None:
            return None
        over, under = (self.theirs, self.mine) if self.times_better else (self.mine, self.theirs)
        return over / under if under else None

    @property
    def verdict(self) -> str:
        """pass, miss, or - where there is no budget."""
        kept = []
        if self.at_most is not None:
            kept.append(self.mine <= self.at_most)
        if self.ratio_at_most is not None and self.ratio is not None:
            kept.append(self.ratio <= self.ratio_at_most)
        if self.times_better is not None and self.ratio is not None:
            kept.append(self.ratio >= self.times_better)
        return "-" if not kept else "pass" if all(kept) else "miss"


class AnswersDifferError(Exception):
    """Two ways to one answer disagree: nothing of them may be timed."""


def check(holds: bool, what: str) -> None:
    """Raise ``AnswersDifferError`` unless ``holds``."""
    if not holds:
        raise AnswersDifferError(f"not timed, the answers differ: {what}")


def timed(run: Callable[[], Any]) -> float:
    """How long ``run`` takes, ms."""
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * MS


def race(ways: Mapping[str, Callable[[], Any]], *, seconds: float = 2.0, least: int = 3) -> dict[str, list[float]]:
    """Times in ms of every way, in turn for about ``seconds``, ``least`` rounds at least, after one unmeasured round.

    In a round a quick way runs several times in a row, so that it has more than ``least`` samples beside a slow one.
    """
    first = {name: timed(run) for name, run in ways.items()}
    slowest = max(first.values())
    repeats = {name: max(1, min(MOST_IN_A_ROUND, int(slowest / max(one, 1e-6)))) for name, one in first.items()}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    until = time.perf_counter() + seconds
    rounds = 0
    while rounds < least or time.perf_counter() < until:
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


def beside(
    section: str, case: str, ours: str, taken: Mapping[str, list[float]], budgets: Mapping[str, Any] | None = None
) -> Iterator[Row]:
    """A row for ``ours`` beside every other way of ``taken``; ``budgets`` are a rival's, as ``Row`` takes them."""
    mine = taken[ours]
    for rival, theirs in taken.items():
        if rival != ours:
            yield Row(
                section,
                case,
                ours,
                statistics.median(mine),
                spread=spread(mine),
                rival=rival,
                theirs=statistics.median(theirs),
                their_spread=spread(theirs),
                **(budgets or {}).get(rival, {}),
            )
