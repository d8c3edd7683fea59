"""The National Electricity Market: its clock, vocabulary and data. It knows of no cache, flow or page."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nem.source import Source, open_source
    from nem.windows import Window

__all__ = ["Source", "Window", "open_source"]


def __getattr__(name: str) -> Any:
    """A name of ``__all__``, imported once it is wanted: whoever needs a feed's name or an error waits for no DuckDB."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("nem.windows" if name == "Window" else "nem.source"), name)
