"""Numbers, receipts and errors as a person reads them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cache_store.answer import Segment
from cache_store.errors import CacheStoreError, NoAnswerError, StalenessExceededError
from dashboard import errors, markup
from nem.errors import NemError, SourceFormatError, SourceUnavailableError, WindowError
from nem.windows import Window

WINDOW = Window(datetime(2024, 2, 29), datetime(2024, 3, 1))
NOW = datetime(2024, 3, 2, tzinfo=UTC)


@pytest.fixture
def receipt(answer):
    return answer([], WINDOW, resolution="30min").receipt


def test_what_is_missing_is_a_dash_and_zero_is_zero():
    assert markup.number(None) == markup.dollars(None) == markup.percent(None) == markup.moment(None) == markup.MISSING
    assert (markup.number(0.0), markup.dollars(0.0), markup.percent(0.0)) == ("0", "$0.00", "0.0%")


def test_a_negative_price_has_its_sign_before_the_dollar():
    assert markup.dollars(-12.5) == "\N{MINUS SIGN}$12.50"
    assert markup.dollars(-0.001) == "$0.00"
    assert markup.number(-1234.5, ",.1f", " MW") == "\N{MINUS SIGN}1,234.5 MW"


def test_a_receipt_says_origin_resolution_and_data_time(receipt):
    line = markup.receipt_line([receipt])
    assert '<b class="origin">live</b>' in line
    assert "30 min resolution" in line
    assert "data to 2024-03-01 00:00 NEM" in line
    assert "<span>built" not in line


def test_a_warmed_receipt_ages_by_the_clock_it_was_judged_by(receipt):
    built = Segment(WINDOW, "cache", "fresh", "30min", "b", NOW - timedelta(minutes=2))
    line = markup.receipt_line([replace(receipt, segments=(built,))])
    assert '<b class="origin">cache</b>' in line
    assert 'built <nw-age seconds="120">' in line


def test_being_held_in_memory_does_not_hide_where_numbers_came_from(receipt):
    line = markup.receipt_line([replace(receipt, from_memory=True)])
    assert '<b class="origin">live</b>' in line
    assert "held in memory" in line


def test_one_stale_part_makes_a_card_stale(receipt):
    stale = Segment(WINDOW, "stale", "stale", "30min", "b", NOW)
    assert "stale, refreshing" in markup.receipt_line([receipt, replace(receipt, segments=(stale,))])


def test_two_origins_are_both_told(receipt):
    cached = Segment(WINDOW, "cache", "fresh", "30min", "b", NOW)
    assert "cache + live" in markup.receipt_line([receipt, replace(receipt, segments=(cached,))])


def test_a_range_only_partly_held_says_how_much(receipt):
    noon = WINDOW.start + timedelta(hours=12)
    held = Segment(Window(WINDOW.start, noon), "live", "range_gap", "30min")
    empty = Segment(Window(noon, WINDOW.end), "live", "empty_source", "30min")
    line = markup.receipt_line([replace(receipt, segments=(held, empty), notes=("a note & more",))])
    assert "generation for 50.0% of the range" in line
    assert "data to 2024-02-29 12:00 NEM" in line
    assert "a note &amp; more" in line
    assert "empty source" in line


def test_every_class_of_a_style_sheet_is_given_to_something():
    inside = re.compile(r"<style>(.*?)</style>", re.DOTALL)
    pages = [path.read_text() for path in markup.ASSETS.glob("*.html")]
    sheets = [path.read_text() for path in markup.ASSETS.glob("*.css")] + [
        css for page in pages for css in inside.findall(page)
    ]
    code = [path.read_text() for path in markup.ASSETS.parent.rglob("*.py")] + [markup.asset("page.js")]
    given = "".join(code + [inside.sub("", page) for page in pages])
    css = re.sub(r"/\*.*?\*/", "", "".join(sheets), flags=re.DOTALL)
    selectors = " ".join(re.findall(r"([^{}]+){", css))
    named = set(re.findall(r"\.([a-zA-Z][\w-]*)", selectors)) | set(re.findall(r"(?<![\w.#-])nw-\w+", selectors))
    ours = {name for name in named if not name.startswith("bk-")}
    assert len(ours) > 60
    assert {name for name in ours if not re.search(rf"(?<![\w-]){name}(?![\w-])", given)} == set()


def test_text_from_data_is_escaped():
    assert "<script>" not in markup.header("<script>", "<script>")
    assert "<script>" not in markup.table([("<script>", "<script>")], [("", [("cell", "<script>")])])
    assert "<script>" not in errors.card(errors.Words("<script>", "<script>", "<script>"))


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (NoAnswerError("why"), "No data for this view"),
        (StalenessExceededError("why", timedelta(hours=2), timedelta(hours=1)), "Only outdated numbers are available"),
        (SourceUnavailableError("why"), "The data source does not answer"),
        (SourceFormatError("why"), "The data source cannot be read"),
        (WindowError("why"), "The data source cannot be read"),
        (NemError("why"), "The data source cannot be read"),
        (CacheStoreError("why"), "This view could not be answered"),
    ],
)
def test_every_known_error_has_words_with_its_reason(error, title):
    words = errors.describe(error)
    assert (words.title, words.reason) == (title, "why")
    assert words.remedy


def test_an_unknown_error_is_named_and_no_more():
    words = errors.describe(KeyError("inside"))
    assert "KeyError" in words.reason
    assert "inside" not in words.reason
