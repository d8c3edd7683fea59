"""What was promised, each figure once. Rows name the budget they are measured for; the report judges them by it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """A bound on a figure, in its ``unit``; in ``x`` on its ratio to a rival's; in ``x less`` on how much less it is.

    ``least`` is the size of ``make bench`` that measures it.
    """

    what: str
    bound: float
    unit: str = "ms"
    least: str = "usual"

    def strain(self, mine: float, theirs: float | None) -> float:
        """How much of the budget is used: more than 1 is a miss."""
        if self.unit == "x less":
            return self.bound * mine / (theirs or 1.0)
        used = mine / (theirs or 1.0) if self.unit == "x" else mine
        return used / self.bound if self.bound else 1.0 + used

    def __str__(self) -> str:
        return f"{'≥' if self.unit == 'x less' else '≤'} {self.bound:,.4g} {self.unit}".rstrip()


BUDGETS = {
    "app": Budget("process start to HTTP 200 of the app", 1500),
    "splash": Budget("cold start to the last overview painted in a browser (splash)", 800),
    "chart": Budget("cold start to the first live chart in a browser", 3000),
    "page": Budget("page of a warm server opened in a fresh browser, to its first chart", 1200),
    "tab": Budget("a tab opened for the first time, to its chart", 500),
    "generation_by_fuel, 30 d": Budget("`fetch` by partitions: generation, 30 days at 30min", 20),
    "generation_by_fuel, 30 d of a settled month": Budget(
        "`fetch` by partitions: generation, 30 days of a settled month at 30min", 10
    ),
    "generation_by_fuel, 365 d": Budget("`fetch` by partitions: generation, a year at 1d", 8),
    "regional_price, 365 d": Budget("`fetch` by partitions: prices, a year at 1d", 12),
    "generation_by_fuel, 1826 d": Budget("`fetch` by partitions: generation, five years at 1d", 30, least="full"),
    "bare": Budget("the same beside a bare DuckDB read of the same files", 1.3, "x"),
    "memory": Budget("`fetch` by memory", 0.2),
    "generation_by_fuel, 365 d, live": Budget("cached beside live, a year at 1d: generation", 100, "x less"),
    "regional_price, 365 d, live": Budget("cached beside live, a year at 1d: prices", 25, "x less"),
    "capacity_factor, 365 d, one unit, live": Budget("cached beside live, a year at 1d: one unit", 30, "x less"),
    "capacity_factor, 365 d, live": Budget("cached beside live, a year at 1d: all units", 50, "x less"),
    "tick": Budget("a 5-minute tick, every query, the lake rewritten", 600),
    "flat": Budget("a tick with three years of history beside one with a month", 1.2, "x", least="full"),
    "warm": Budget("a year of 550 units warmed from the lake", 45, "s"),
    "peak": Budget("the same, or landing a month of them: peak memory", 1000, "MB"),
    "storm": Budget("a cold stampede: questions to the source", 1, ""),
    "readers": Budget("readers under publications: failed or wrong readings", 0, ""),
    "crowd": Budget("30 websocket sessions: a tab switch, 95 in 100", 500),
    "errors": Budget("1 to 100 websocket sessions: errors", 0, ""),
    "session": Budget("30 or more websocket sessions: memory of each", 5, "MB"),
    "left": Budget("memory after as many more sessions came and left, beside after the first", 1.1, "x", least="full"),
}
