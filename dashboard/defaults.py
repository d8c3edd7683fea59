"""Bokeh's defaults, worked out once for each class, and made for a model when somebody wants to change them.

Bokeh (3.9.2) works out the default of a property that nobody set whenever it is read: to make or to send a model it reads all
of its 60, to find what a document holds all that may refer to another, each time a model comes or goes. And it gives each new
model a dozen empty lists and dicts of its own, nearly all of them never touched.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from bokeh.core.has_props import HasProps
from bokeh.core.property.descriptors import PropertyDescriptor
from bokeh.core.property.wrappers import PropertyValueContainer
from bokeh.model import Model, util

Key = tuple[type[HasProps], str]

work_out, is_own = PropertyDescriptor._get_default, PropertyDescriptor.has_unstable_default
references, to_serializable = Model.references, Model.to_serializable
visit = util.visit_immediate_value_references
_PLAIN = (type(None), bool, int, float, str)  # nobody can change one that is shared
_known: dict[Key, Any] = {}
_empty: dict[Key, PropertyValueContainer] = {}
_own: dict[Key, bool] = {}


class _Reading(threading.local):
    on = False  # in this thread, models are read and not changed


_reading = _Reading()


def remember_defaults() -> None:
    """Have Bokeh remember, in this process, the defaults that are plain values or empty and the same for every model of a class."""
    PropertyDescriptor._get_default = _remembered  # type: ignore[assignment,method-assign]
    PropertyDescriptor.has_unstable_default = _is_own  # type: ignore[assignment,method-assign]
    Model.references = _read(references)  # type: ignore[method-assign]
    Model.to_serializable = _read(to_serializable)  # type: ignore[method-assign]
    util.visit_immediate_value_references = _visit


def _remembered(self: PropertyDescriptor[Any], model: HasProps) -> Any:
    if self.name in model.__dict__.get("__themed_values__", ()):  # `themed_values` takes three times as long
        return work_out(self, model)
    key = model.__class__, self.name
    if key in _known:
        return _known[key]
    if key in _empty and (_reading.on or not model._initialized) and self.name not in model._unstable_default_values:
        return _empty[key]
    value = work_out(self, model)
    if isinstance(value, _PLAIN) and not self.has_unstable_default(model):
        _known[key] = value
    elif isinstance(value, PropertyValueContainer) and not value:
        _empty[key] = type(value)()
    return value


def _is_own(self: PropertyDescriptor[Any], model: HasProps) -> bool:
    """Whether each model has a default of its own, which is told by its class."""
    key = model.__class__, self.name
    if key not in _own:
        _own[key] = is_own(self, model)
    return _own[key]


def _visit(value: Any, visitor: Callable[[Model], None]) -> None:
    """Bokeh's, which the first time makes what models a model has by default; from then on only what it holds is looked at."""
    if not isinstance(value, Model) or "_was_visited" not in value.__dict__:
        visit(value, visitor)
        if isinstance(value, Model):
            value.__dict__["_was_visited"] = True
        return
    referring = value.properties_with_refs()
    for held in (value._property_values, value._unstable_default_values, value._unstable_themed_values):
        for name, child in held.items():
            if name in referring:
                util.visit_value_and_its_immediate_references(child, visitor)


def _read(look: Callable[..., Any]) -> Callable[..., Any]:
    """``look``, which changes no model."""

    @wraps(look)
    def reading(*arguments: Any) -> Any:
        before, _reading.on = _reading.on, True
        try:
            return look(*arguments)
        finally:
            _reading.on = before

    return reading
