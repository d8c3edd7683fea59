"""Timing in pairs: two ways to the same answer, taken in turn so that a noisy moment falls on both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MS = 1000.0


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the scoreboard. Times are medians in ms, ``spread`` the quartile distance over the median."""

    case: str
    ours: str
    ours_ms: float
    spread: float = 0.0
    rival: str = ""
    rival_ms: float | None = None
    budget_ms: float | None = None  # at most
    budget_ratio: float | None = None  # ours over rival's, at most; or rival's over ours, at least, if ``faster``
    faster: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over the rival's; the other way round where ours is to be the faster by a factor."""
        if self.rival_ms is None:
            return None
        return self.rival_ms / self.ours_ms if self.faster else self.ours_ms / self.rival_ms

    @property
    def verdict(self) -> str:
        """pass, miss, or - where there is no budget."""
        kept = []
        if self.budget_ms is not None:
            kept.append(self.ours_ms <= self.budget_ms)
        if self.budget_ratio is not None and self.ratio is not None:
            kept.append(self.ratio >= self.budget_ratio if self.faster else self.ratio <= self.budget_ratio)
        return "-" if not kept else "pass" if all(kept) else "miss"


def pair(
    ours: Callable[[], Any], rival: Callable[[], Any], *, seconds: float = 3.0, least: int = 5
) -> tuple[list[float], list[float]]:
    """Times in ms of both, run in turn for about ``seconds``, at least ``least`` times each, after one unmeasured run."""
    ours(), rival()
    taken: tuple[list[float], list[float]] = ([], [])
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(taken[1]) < least:
        for times, run in zip(taken, (ours, rival), strict=True):
            began = time.perf_counter()
            run()
            times.append((time.perf_counter() - began) * MS)
    return taken


def alone(run: Callable[[], Any], *, seconds: float = 2.0, least: int = 5) -> list[float]:
    """Times in ms of one way, after one unmeasured run."""
    run()
    times: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(times) < least:
        began = time.perf_counter()
        run()
        times.append((time.perf_counter() - began) * MS)
    return times


def spread(times: list[float]) -> float:
    """The distance between the quartiles over the median: 0.3 and more is a noisy machine."""
    low, _, high = statistics.quantiles(times, n=4)
    return (high - low) / statistics.median(times)


def compare(case: str, ours: str, rival: str, runs: tuple[Callable[[], Any], Callable[[], Any]], **budget: Any) -> Row:
    """A row of the scoreboard from two ways to one answer, which the caller has found equal."""
    mine, theirs = pair(*runs)
    return Row(case, ours, statistics.median(mine), spread(mine), rival, statistics.median(theirs), **budget)
