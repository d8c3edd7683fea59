"""What is asked of the market, where the answers live, and how to get one. It knows of no flow and no page."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cache_store.answer import Answer, Receipt, Segment
    from cache_store.build import materialise
    from cache_store.catalogue import CATALOGUE, Query, find_query
    from cache_store.memory import remembered
    from cache_store.reader import empty_answer, explain, extent, fetch
    from cache_store.store import Store, open_store

__all__ = [
    "CATALOGUE",
    "Answer",
    "Query",
    "Receipt",
    "Segment",
    "Store",
    "empty_answer",
    "explain",
    "extent",
    "fetch",
    "find_query",
    "materialise",
    "open_store",
    "remembered",
]


def __getattr__(name: str) -> Any:
    """A name of ``__all__``, imported once it is wanted: a server says that it is starting before DuckDB is imported."""
    if name in __all__:
        for home in ("answer", "catalogue", "memory", "store", "build", "reader"):
            if name in (known := vars(import_module(f"cache_store.{home}"))):
                return known[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
