"""Markets to ask: two days worked by hand, and answers made up for one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from playwright.sync_api import Browser, Page

from cache_store import open_store
from cache_store.answer import Answer, Receipt, Segment
from dashboard.data import Market
from nem.source import open_source
from nem.windows import Window, utc_time
from tests.dashboard.serving import market_of, served
from tests.tiny_nem import WINDOW


@pytest.fixture(scope="session")
def tiny_market(two_days, tmp_path_factory) -> Market:
    """`tests/tiny_nem` answered by the real reader, nothing warmed."""
    store = open_store(tmp_path_factory.mktemp("tiny_market") / "store")
    return market_of(open_source(two_days), store, lambda: utc_time(WINDOW.end))


@pytest.fixture
def answer() -> Callable[..., Answer]:
    """Rows as an answer over a window; every segment live unless ``origin`` says otherwise."""

    def make(rows: list[dict], window: Window, *, query="generation_by_fuel", resolution="1h", **segment) -> Answer:
        facts = {"origin": "live", "reason": "range_gap", "grain": resolution, **segment}
        now = datetime(2024, 3, 2, tzinfo=UTC)
        return Answer(
            pa.Table.from_pylist(rows), Receipt(query, window, resolution, 1, now, (Segment(window, **facts),))
        )

    return make


@pytest.fixture(scope="module")
def url(tiny_market) -> Iterator[str]:
    """The address of an app that is served over the tiny market."""
    with served(tiny_market) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh visitor, whose console must stay clean."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert trouble == []
