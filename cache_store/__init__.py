"""What is asked of the market, where the answers live, and how to get one. It knows of no flow and no page."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # each under its own name, as mypy wants of what is for others
    from cache_store.answer import Answer as Answer
    from cache_store.answer import Receipt as Receipt
    from cache_store.answer import Segment as Segment
    from cache_store.build import materialise as materialise
    from cache_store.catalogue import CATALOGUE as CATALOGUE
    from cache_store.catalogue import Query as Query
    from cache_store.catalogue import find_query as find_query
    from cache_store.memory import remembered as remembered
    from cache_store.reader import empty_answer as empty_answer
    from cache_store.reader import explain as explain
    from cache_store.reader import extent as extent
    from cache_store.reader import fetch as fetch
    from cache_store.store import Store as Store
    from cache_store.store import open_store as open_store

_HOMES = {
    **dict.fromkeys(("Answer", "Receipt", "Segment"), "answer"),
    "materialise": "build",
    **dict.fromkeys(("CATALOGUE", "Query", "find_query"), "catalogue"),
    "remembered": "memory",
    **dict.fromkeys(("empty_answer", "explain", "extent", "fetch"), "reader"),
    **dict.fromkeys(("Store", "open_store"), "store"),
}


def __getattr__(name: str) -> Any:
    """A name of this package, imported once it is wanted: a server says that it is starting before DuckDB is imported."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"cache_store.{_HOMES[name]}"), name)
