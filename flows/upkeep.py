"""audit and sweep: the store verified against its source and its checksums, and kept within its bounds.

What is wrong, how it is mended and what may go is cache_store's to know; here it is scheduled, said and retried.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

from prefect import flow, get_run_logger
from pydantic import Field

from cache_store import open_store
from cache_store.errors import CacheStoreError
from cache_store.settings import Settings
from cache_store.upkeep import Finding, check, lost, repair
from cache_store.upkeep import sweep as sweep_store
from flows.record import recorded
from flows.report import tell
from nem import open_source
from nem.share import sweep_lake


class AuditFailedError(CacheStoreError):
    """The operator's to mend: partitions were wrong and could not all be rebuilt; the message names them."""


@flow(name="audit", persist_result=False)
def audit(sample: Annotated[int, Field(ge=0)] = 20) -> str:
    """Verify every partition, mend what is wrong, and return a sentence that says what was.

    Args:
        sample: how many partitions to recompute from the source; each day's follow the day before's.

    Raises:
        AuditFailedError: what was wrong is unpublished, so that readers ask the source, and not all of it rebuilt.
        StoreUnavailableError, SourceUnavailableError: nothing could be verified.
    """
    settings = Settings()
    with recorded(settings.store, "audit") as record:
        store, source = open_store(settings.store), open_source(settings.lake)
        now = source.now()
        findings = check(store, source, now=datetime.now(UTC), sample=sample)
        wrong = [finding for finding in findings if finding.entry]
        rebuilt = repair(store, source, wrong, now=now)
        record.message, record.periods = describe(wrong, rebuilt, len(store.manifest().entries)), len(rebuilt)
        rows = [{"partition": finding.path, "problem": finding.problem} for finding in wrong]
        tell("audit", rows, record.message, level=logging.WARNING if wrong else logging.INFO)
        if left := lost(wrong, rebuilt):
            raise AuditFailedError(f"wrong and not rebuilt: {', '.join(left)}; run `nemwarm check --repair`")
        return record.message


def describe(wrong: list[Finding], rebuilt: list[tuple[str, str]], published: int) -> str:
    """What an audit found, in a sentence."""
    if not wrong:
        return f"{published} partitions verified, none wrong"
    kinds = Counter(finding.problem for finding in wrong)
    found = ", ".join(f"{count} {problem}" for problem, count in kinds.most_common())
    return f"{len(wrong)} partitions wrong ({found}), {len(rebuilt)} rebuilt, {published} published"


@flow(name="sweep", persist_result=False)
def sweep(quota_mb: Annotated[int | None, Field(ge=0)] = None) -> str:
    """Delete the files that store and shared lake do not name, and over the quota the oldest partitions of the finest grain.

    Args:
        quota_mb: bytes the store may take, in millions; without it only what nothing names goes.

    Raises:
        StoreUnavailableError, SourceUnavailableError: the store, or the lake's object storage, cannot be read or written.
    """
    settings = Settings()
    with recorded(settings.store, "sweep") as record:
        quota = None if quota_mb is None else quota_mb * 10**6
        swept = sweep_store(open_store(settings.store), now=datetime.now(UTC), byte_quota=quota)
        raw = sweep_lake(settings.lake, now=datetime.now(UTC))
        byte_count = swept.byte_count + sum(raw.values())
        went = f"{len(swept.evicted)} partitions evicted, {len(swept.files) + len(raw)} files deleted"
        record.message, record.byte_count = f"{went}, {byte_count / 1e6:.1f} MB", byte_count
        get_run_logger().info(record.message)
        return record.message
