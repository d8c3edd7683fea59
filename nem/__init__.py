"""The National Electricity Market: its clock, vocabulary and data. It knows of no cache, flow or page."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # each under its own name, as mypy wants of what is for others
    from nem.source import Source as Source
    from nem.source import open_source as open_source
    from nem.windows import Window as Window

_HOMES = {"Source": "source", "Window": "windows", "open_source": "source"}


def __getattr__(name: str) -> Any:
    """A name of this package, imported once it is wanted: whoever needs a feed's name or an error waits for no DuckDB."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"nem.{_HOMES[name]}"), name)
