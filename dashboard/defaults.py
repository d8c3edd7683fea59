"""Bokeh's defaults, worked out once for each class.

Bokeh (3.9.2) works out the default of a property that nobody set whenever it is read: to send a model it reads all of its
60, to find what a document holds all that may refer to another. That was half of what a page cost the server.
"""

from __future__ import annotations

from typing import Any

from bokeh.core.has_props import HasProps
from bokeh.core.property.descriptors import PropertyDescriptor

work_out = PropertyDescriptor._get_default
_PLAIN = (type(None), bool, int, float, str)  # nobody can change one that is shared
_known: dict[tuple[type[HasProps], str], Any] = {}


def remember_defaults() -> None:
    """Have Bokeh remember, in this process, the defaults that are plain values and the same for every model of a class."""
    PropertyDescriptor._get_default = _remembered  # type: ignore[assignment,method-assign]


def _remembered(self: PropertyDescriptor[Any], model: HasProps) -> Any:
    if self.name in model.__dict__.get("__themed_values__", ()):  # `themed_values` takes three times as long
        return work_out(self, model)
    key = model.__class__, self.name
    if key in _known:
        return _known[key]
    value = work_out(self, model)
    if isinstance(value, _PLAIN) and not self.has_unstable_default(model):
        _known[key] = value
    return value
