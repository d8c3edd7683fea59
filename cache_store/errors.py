"""What can go wrong between a request and its answer; what is wrong with the source itself is of ``nem.errors``."""

from __future__ import annotations

from datetime import timedelta


class CacheStoreError(Exception):
    """Root of this package's errors."""


class UnknownQueryError(CacheStoreError, KeyError):
    """The caller's mistake: the catalogue has no such query; the message lists those there are."""

    def __str__(self) -> str:
        # KeyError would show the message's repr.
        return str(self.args[0])


class RequestError(CacheStoreError, ValueError):
    """The caller's mistake: a region, resolution, filter or origin the query does not have."""


class UnknownNameError(RequestError):
    """The caller's mistake: no unit, station or link is called that; the message says what comes near."""


class StoreUnavailableError(CacheStoreError):
    """The operator's to mend: the store's root, or its manifest, cannot be read or written."""


class StoreVersionError(StoreUnavailableError):
    """The manifest is of a format this version does not know; nothing may be made of it but by the one that does."""


class PartitionCorruptError(CacheStoreError):
    """A partition is missing, truncated or not what its manifest entry says: the next warming repairs it."""


class StalenessExceededError(CacheStoreError):
    """Only rows older than allowed could answer, and the source did not.

    ``age`` and ``bound`` are of the partition furthest past its bound: how old it is, and how old it might be, both since
    it was verified; of a period still arriving, since its data was due.
    """

    def __init__(self, message: str, age: timedelta, bound: timedelta) -> None:
        super().__init__(message, age, bound)  # all of it: an error is pickled by what it was made of
        self.age, self.bound = age, bound

    def __str__(self) -> str:
        return str(self.args[0])


class NoAnswerError(CacheStoreError):
    """Neither partitions nor the source can answer; the message names both causes."""


class NothingHeldError(NoAnswerError):
    """Nothing has failed: the source is there, and nothing of what is asked has landed in it."""
