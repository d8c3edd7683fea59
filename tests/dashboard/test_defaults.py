from __future__ import annotations

import json
import re

import pytest
from bokeh.core.property.descriptors import PropertyDescriptor, UnsetValueError
from bokeh.core.serialization import Serializer
from bokeh.document import Document
from bokeh.model import Model, util
from bokeh.models import ColumnDataSource, FixedTicker, LinearAxis, Range1d
from bokeh.themes import Theme

from dashboard import defaults
from dashboard.defaults import remember_defaults

KINDS = {name: kind for name, kind in Model.model_class_reverse_map.items() if kind.__module__.startswith("bokeh.")}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bokeh as it is by itself, until `remember_defaults`."""
    monkeypatch.setattr(PropertyDescriptor, "_get_default", defaults.work_out)
    monkeypatch.setattr(PropertyDescriptor, "has_unstable_default", defaults.is_own)
    for name in ("references", "to_serializable"):
        monkeypatch.setattr(Model, name, getattr(defaults, name))
    monkeypatch.setattr(util, "visit_immediate_value_references", defaults.visit)


def sent() -> dict[str, str]:
    """What is sent of a new model of each kind, without its ids."""
    told = {}
    for name, kind in KINDS.items():
        try:
            told[name] = json.dumps(Serializer().encode(kind()), default=str)
        except UnsetValueError as error:
            told[name] = repr(error)
    return {name: re.sub(r"\bp\d+\b|0x\w+", "", text) for name, text in told.items()}


def referred(one: Model) -> set[Model] | str:
    """The models it refers to, itself among them."""
    try:
        return one.references()
    except UnsetValueError as error:
        return repr(error)


@pytest.mark.usefixtures("alone")
@pytest.mark.filterwarnings("ignore::bokeh.util.warnings.BokehDeprecationWarning")  # some of all are
def test_models_are_sent_as_they_are_without_it() -> None:
    alone = sent()
    remember_defaults()
    assert sent() == alone
    assert sent() == alone  # out of memory now
    assert len(alone) > 300


@pytest.mark.usefixtures("alone")
def test_what_can_be_changed_is_no_other_models() -> None:
    remember_defaults()
    ColumnDataSource().data["x"] = [1]
    assert ColumnDataSource().data == {}
    one = Range1d()
    assert one.references() == {one}
    Serializer().encode(one)
    one.tags.append("one")
    assert (one.tags, Range1d().tags) == (["one"], [])
    assert "one" in json.dumps(Serializer().encode(one))


@pytest.mark.usefixtures("alone")
@pytest.mark.filterwarnings("ignore::bokeh.util.warnings.BokehDeprecationWarning")
def test_a_model_refers_to_as_many_seen_again() -> None:
    models = [kind() for kind in KINDS.values() if issubclass(kind, Model)]
    alone = [referred(one) for one in models]
    remember_defaults()
    for _ in ("first", "again"):
        assert [referred(one) for one in models] == alone
    axis, ticker = LinearAxis(), FixedTicker()
    axis.references()
    axis.ticker = ticker
    assert ticker in axis.references()


@pytest.mark.usefixtures("alone")
def test_a_model_has_nothing_empty_of_its_own() -> None:
    """Bokeh gives each a dozen lists and dicts, which hardly anybody touches."""
    remember_defaults()
    Range1d()  # the first of its kind is asked
    one = Range1d(start=1)
    document = Document()
    document.add_root(one)
    document.to_json()
    assert [name for name, value in one._unstable_default_values.items() if not value] == []


@pytest.mark.usefixtures("alone")
def test_a_theme_is_only_its_own_documents() -> None:
    remember_defaults()
    plain, themed = LinearAxis(), LinearAxis()
    assert plain.axis_line_color == themed.axis_line_color == "black"
    document = Document(theme=Theme(json={"attrs": {"Axis": {"axis_line_color": "red"}}}))
    document.add_root(themed)
    assert (plain.axis_line_color, themed.axis_line_color) == ("black", "red")
    assert LinearAxis().axis_line_color == "black"
