"""The one place where an error becomes words for a person."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from cache_store.errors import CacheStoreError, NoAnswerError, StalenessExceededError
from nem.errors import NemError, SourceUnavailableError


@dataclass(frozen=True, slots=True)
class Words:
    """A failure, told: what did not work, why, and what helps."""

    title: str
    reason: str
    remedy: str


class StoppedError(Exception):
    """The reader gave up a question that took long."""


def describe(error: Exception) -> Words:
    """What happened, for a person; a fault of the program itself tells nothing of its inside."""
    if isinstance(error, StoppedError):
        return Words(
            "Stopped", "You stopped this question before its answer came.", "Retry, or choose a shorter range."
        )
    known: tuple[tuple[type[Exception], str, str], ...] = (
        (NoAnswerError, "No data for this view", "Choose another range or region, or load that stretch first."),
        (
            StalenessExceededError,
            "Only outdated numbers are available",
            "The source did not answer in time. Retry in a moment.",
        ),
        (SourceUnavailableError, "The data source does not answer", "Check that the source is in place, then retry."),
        (NemError, "The data source cannot be read", "The reason above names the part to mend; then retry."),
        (CacheStoreError, "This view could not be answered", "Retry; if it stays, run `nemwarm check`."),
    )
    for kind, title, remedy in known:
        if isinstance(error, kind):
            return Words(title, str(error), remedy)
    return Words(
        "Something went wrong in the dashboard",
        f"An unexpected {type(error).__name__}; the log has it.",
        "Retry, or open another tab.",
    )


def card(words: Words) -> str:
    """The words as HTML."""
    return (
        f'<div class="failure" role="alert"><h2>{escape(words.title)}</h2>'
        f"<p>{escape(words.reason)}</p><p>{escape(words.remedy)}</p></div>"
    )


def say_ignored(keys: tuple[str, ...]) -> str:
    """Which parts of the page's address were not understood, as HTML."""
    named = ", ".join(escape(key) for key in keys)
    return f'<p class="notice" role="alert">This link says something that is not understood, so it was left out: <b>{named}</b>.</p>'
