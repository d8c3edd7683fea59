"""What is asked of the market, where the answers live, and how to get one. It knows of no flow and no page."""

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
