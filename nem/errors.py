"""What can be wrong with the market's data or with a window asked of it.

Errors of the cache live in ``cache_store.errors``; nothing here knows of a cache.
"""


class NemError(Exception):
    """Root of this package's errors."""


class SourceUnavailableError(NemError):
    """The operator's to mend: live data is missing or cannot be read."""


class SourceEmptyError(SourceUnavailableError):
    """There is no source: nothing has landed where it is looked for."""


class TableAbsentError(SourceUnavailableError):
    """The source is there and has never held this table."""


class FileAbsentError(SourceUnavailableError):
    """The server is there and has no such file, not yet or no longer."""


class ServerBusyError(SourceUnavailableError):
    """The server refuses, and wants to be left alone for ``seconds``."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class SourceFormatError(NemError):
    """The operator's to mend: a file breaks the format it claims to have."""


class UnknownFeedError(NemError, ValueError):
    """The caller's mistake: AEMO's server has no such feed, or none that lands here; the message lists those there are."""


class WindowError(NemError, ValueError):
    """The caller's mistake: a window or time that is empty, reversed, off the grid or zone-aware."""
