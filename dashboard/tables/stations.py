"""The Station Analysis tab: each of its parts is asked for by its own module when it is opened."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from dashboard.data import Market, Selection

# The words of `Selection.view`; one of another tab, or none, means the first.
PARTS = {"": "station_output", "patterns": "station_patterns", "league": "station_league"}


def load(market: Market, selection: Selection) -> Any:
    """The tables of the selected part: a frozen dataclass with ``receipts`` and ``exports``."""
    return import_module(f"dashboard.tables.{PARTS.get(selection.view, PARTS[''])}").load(market, selection)
