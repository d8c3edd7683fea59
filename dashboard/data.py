"""What the dashboard knows of the world: a `Market` to ask, what a session has selected, and the window that means.

It holds no store, source or clock of its own. `tables/` asks and shapes, `views/` draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nem.regions import NEM
from nem.windows import Window

if TYPE_CHECKING:
    from cache_store.answer import Answer

PRESETS: dict[str, timedelta | None] = {
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "All": None,
}


@dataclass(frozen=True, slots=True)
class Market:
    """Everything the pages may ask: ``ask(query, window, *, filters, resolution)`` blocks and is thread-safe.

    ``extent`` is what store and source hold for a query, in NEM time; ``clock`` the aware UTC now.
    """

    ask: Callable[..., Answer]
    extent: Callable[[str], Window]
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Selection:
    """What a session has chosen. A preset, not dates: the window is worked out anew at every question."""

    region: str = NEM
    preset: str = "7d"
    station: str | None = None


def preset_window(preset: str, extent: Window) -> Window:
    """The preset's stretch up to the newest data, clipped to what is held."""
    length = PRESETS[preset]
    start = extent.start if length is None else max(extent.start, extent.end - length)
    return Window(start, extent.end)
