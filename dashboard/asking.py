"""Asking on behalf of a page that may change its mind: bounded over all sessions, and given up once nobody waits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, wait
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dashboard.data import Market

if TYPE_CHECKING:
    from cache_store.answer import Answer

_POLL_SECONDS = 0.1


class SupersededError(Exception):
    """Whoever asked no longer waits for the answer."""


def while_wanted(market: Market, pool: Executor | None, is_wanted: Callable[[], bool]) -> Market:
    """``market``, whose questions raise SupersededError as soon as ``is_wanted()`` is false.

    ``pool`` bounds how many questions run at once; None runs them in the caller's thread. One that runs already is let
    finish, for another session may be waiting for the same, and its answer stays in memory.
    """

    def ask(query: str, window: Any, **options: Any) -> Answer:
        if not is_wanted():
            raise SupersededError
        if pool is None:
            return market.ask(query, window, **options)
        asked = pool.submit(market.ask, query, window, **options)
        while wait([asked], timeout=_POLL_SECONDS).not_done:
            if not is_wanted():
                asked.cancel()
                raise SupersededError
        return asked.result()

    return replace(market, ask=ask)
