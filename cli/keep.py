"""Commands that fill and mend: warm, check, attach and gc."""

from __future__ import annotations

import signal
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli.codes import NO_ANSWER, OK, WRONG
from cli.installation import open_installation

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from cache_store import Store
    from flows.work import Work


def run_check(arguments: argparse.Namespace) -> int:
    """Print what is wrong with the store, and mend it if asked to."""
    from cache_store.errors import StoreUnavailableError, StoreVersionError
    from cache_store.upkeep import check, lost, rebuild_manifest, repair

    store, source = open_installation()
    try:
        store.manifest()
    except StoreVersionError:
        raise  # what a newer version wrote is whole: nothing of it is ours to mend
    except StoreUnavailableError:
        if not arguments.repair:
            raise
        print(
            f"manifest rebuilt from footers: {len(rebuild_manifest(store, now=datetime.now(UTC)).entries)} partitions"
        )
    findings = check(store, source, now=datetime.now(UTC), sample=arguments.sample)
    for finding in findings:
        print(f"{finding.problem:12} {finding.path}")
    wrong = [finding for finding in findings if finding.entry]
    left, state = [finding.path for finding in wrong], "wrong"
    if arguments.repair:
        rebuilt = repair(store, source, wrong, now=source.now())
        left = lost(wrong, rebuilt)
        state = f"wrong, of which {len(left)} not rebuilt" if left else "mended"
        for query, period in rebuilt:
            print(f"rebuilt      {query} {period}")
        for period in left:
            print(f"not rebuilt  {period}")
    print(f"{len(store.manifest().entries)} partitions published, {len(wrong)} {state}")
    return WRONG if left else OK


def run_attach(arguments: argparse.Namespace) -> int:
    """Make store and lake copies of those in object storage, and publish there what they hold."""
    from cache_store.settings import Settings
    from cache_store.store import attach
    from nem.lake import attach as attach_lake
    from nem.layouts.folder import find_layout
    from nem.source import is_lake

    settings, url = Settings(), arguments.url.rstrip("/")
    if not is_lake(settings.lake) and find_layout(settings.lake):
        print(f"{settings.lake} is read where it lies, and stays this machine's own")
    else:
        held = attach_lake(settings.lake, f"{url}/lake")
        print(f"{settings.lake} is a copy of {url}/lake: {held} files")
    manifest = attach(settings.store, f"{url}/store").manifest()
    print(
        f"{settings.store} is a copy of {url}/store: generation {manifest.generation}, {len(manifest.entries)} partitions"
    )
    return OK


def run_gc(arguments: argparse.Namespace) -> int:
    """Delete what no manifest names, and print it."""
    from cache_store.upkeep import sweep
    from nem.share import sweep_lake

    store, source = open_installation()
    quota = arguments.quota_mb * 10**6 if arguments.quota_mb is not None else None
    swept = sweep(store, now=datetime.now(UTC), byte_quota=quota, dry_run=arguments.dry_run)
    for path in swept.evicted:
        print(f"evicted      {path}")
    for path in swept.files:
        print(f"deleted      {path}")
    raw = sweep_lake(source.root, now=datetime.now(UTC), dry_run=arguments.dry_run)
    for address in raw:
        print(f"deleted      {address}")
    would = "would go" if arguments.dry_run else "gone"
    print(
        f"{len(swept.evicted)} partitions and {len(swept.files) + len(raw)} files {would}, "
        f"{(swept.byte_count + sum(raw.values())) / 1e6:.1f} MB"
    )
    return OK


def run_warm(arguments: argparse.Namespace) -> int:
    """Run the warm flow here, or print what it would do."""
    from cache_store import CATALOGUE, find_query
    from flows.work import asked_most, check_range, find_work

    # Checked before Prefect is imported: a bad request must not start a server first.
    windows = check_range(arguments.start, arguments.end, None, arguments.asked, arguments.budget_mb)
    queries = [find_query(name) for name in arguments.query or CATALOGUE]
    if not arguments.dry_run:
        from flows.server import require_server
        from flows.warm import warm_cache

        require_server()
        # Prefect passes the signal on when its run is over: who is ended by it leaves Prefect's own server behind.
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        given = {name: getattr(arguments, name) for name in ("start", "end", "asked", "budget_mb", "force")}
        print(warm_cache(queries=arguments.query, **given)["message"])
        return OK
    store, source = open_installation()
    now = source.now()
    shapes = asked_most(store, arguments.asked, arguments.budget_mb, now)
    named, force = bool(arguments.query), arguments.force
    work = find_work(store, source, queries, now=now, windows=windows, shapes=shapes, force=force, named=named)
    for line in _work_lines(store, work):
        print(line)
    return NO_ANSWER if work.unplanned else OK


def _work_lines(store: Store, work: Work) -> Iterator[str]:
    """What is due, why and at what cost; what cannot be planned; how much of both."""
    from cache_store import find_query
    from cache_store.manifest import period_window
    from cache_store.usage import build_cost, read_usage

    manifest, tallies = store.manifest(), read_usage(store.root)
    for batch in work.batches:
        for period in batch.periods:
            ms, byte_count = build_cost(find_query(batch.query), period_window(period), manifest, tallies)
            costs = [] if ms is None else [f"{ms:,.0f} ms"]
            costs += [] if byte_count is None else [f"{byte_count / 1e6:.1f} MB"]
            about = f"about {', '.join(costs)}" if costs and not batch.is_renewal else ""
            yield f"{batch.query:20} {period:10} {batch.reason:18} {about}".rstrip()
    for query, cause in work.unplanned.items():
        yield f"{query:20} cannot be planned: {cause}"
    for query, table in work.absent.items():
        yield f"{query:20} no {table} in the source"
    yield f"{sum(len(batch.periods) for batch in work.batches)} due, {sum(work.fresh.values())} fresh"
