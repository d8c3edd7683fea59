"""The ``nemwarm`` command: the one place that knows all four packages, each imported when its command runs."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

    from cache_store import Receipt, Store
    from dashboard.data import Market
    from nem import Source, Window

OK, WRONG, BAD_REQUEST, NO_ANSWER = 0, 1, 2, 3


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 found wrong by `check`, 2 bad request, 3 no answer."""
    arguments = _parser().parse_args(argv)
    from pydantic import ValidationError

    from cache_store.errors import CacheStoreError, RequestError, UnknownQueryError
    from nem.errors import NemError, WindowError

    try:
        code: int = arguments.run(arguments)
    except (WindowError, RequestError, UnknownQueryError) as error:
        return _complain(error, BAD_REQUEST)
    except ValidationError as error:
        return _complain(f"settings: {'; '.join(_tell(one) for one in error.errors())}", BAD_REQUEST)
    except (NemError, CacheStoreError) as error:
        return _complain(error, NO_ANSWER)
    except BrokenPipeError:
        # Whoever read our output has had enough (`nemwarm query … | head`).
        sys.stdout = None
        return OK
    except OSError as error:
        return _complain(f"{error.strerror}: {error.filename or 'the output'}", NO_ANSWER)
    return code


def _tell(problem: Any) -> str:
    return ": ".join([*(str(part) for part in problem["loc"]), problem["msg"]])


def _complain(error: object, code: int) -> int:
    print(f"nemwarm: {' '.join(str(error).split())}", file=sys.stderr)
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(BAD_REQUEST, f"nemwarm: {message}; see `{self.prog} --help`\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="nemwarm", description="Answers about Australia's electricity market, warmed before asked.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Any, about: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=about, description=about)
        made.set_defaults(run=run)
        return made

    for name, run, about in (
        ("up", _up, "land the bundled sample if there is no source, serve the dashboard, warm in the background"),
        ("serve", _serve, "serve the dashboard"),
    ):
        serving = command(name, run, about)
        serving.add_argument("--address", help="interface to listen on (default: loopback)")
        serving.add_argument("--port", type=_count(1, 65_535), help="default: 5006")
    ingest = command("ingest", _ingest, "land data in the source lake")
    ingest.add_argument("--sample", action="store_true", required=True, help="the bundled 22 days of October 2017")
    warm = command("warm", _warm, "warm the cache through the Prefect flow")
    _add_window(warm, required=False)
    warm.add_argument("--query", action="append", help="only this query; may be repeated")
    warm.add_argument(
        "--asked", type=_count(1), metavar="N", help="only what the N requests mean that readers asked most"
    )
    warm.add_argument("--force", action="store_true", help="rebuild what is not due, too")
    warm.add_argument("--dry-run", action="store_true", help="only say what is due and why, opening no data file")
    shown = command("status", _status, "what is warmed, how fresh, how far behind")
    shown.add_argument("--format", choices=["table", "json"], default="table")
    checked = command("check", _check, "verify every partition; exit code 1 if one is wrong")
    checked.add_argument("--repair", action="store_true", help="quarantine and rebuild what is wrong, the manifest too")
    checked.add_argument(
        "--sample", type=_count(), default=3, help="partitions to recompute from the source (default: 3)"
    )
    swept = command("gc", _gc, "delete files that no manifest names")
    swept.add_argument("--dry-run", action="store_true", help="only say what would go")
    swept.add_argument(
        "--quota-mb", type=_count(), help="first drop the oldest partitions of the finest grain down to this"
    )
    for name, run, about, forms in (
        ("query", _query, "answer a query", ["table", "csv", "json", "parquet"]),
        ("explain", _explain, "how a query would be answered, opening no data file", ["table", "json"]),
    ):
        _add_request(command(name, run, about), forms)
    return parser


def _count(least: int = 0, most: int = 10**9) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return number


def _add_window(parser: argparse.ArgumentParser, *, required: bool) -> None:
    for edge in ("--start", "--end"):
        parser.add_argument(
            edge, required=required, help="NEM time: a date, or YYYY-MM-DDTHH:MM; windows are (start, end]"
        )


def _add_request(parser: argparse.ArgumentParser, forms: list[str]) -> None:
    parser.add_argument("name", metavar="query", help="a name of the catalogue, such as generation_by_fuel")
    _add_window(parser, required=True)
    parser.add_argument("--resolution", default="auto", help="auto, 5min, 30min, 1h, 1d or 1M")
    parser.add_argument("--region", dest="region_id", action="append", help="NSW1 …, or NEM for all together")
    parser.add_argument("--fueltech", dest="fueltech_id", action="append", help="a fuel technology; may be repeated")
    parser.add_argument("--duid", action="append", help="a unit; may be repeated")
    parser.add_argument(
        "--origin", default="auto", help="auto, cache (never asks the source) or live (opens no partition)"
    )
    parser.add_argument("--format", choices=forms, default="table")


def _open() -> tuple[Store, Source, datetime]:
    """This installation's store and source, and the instant freshness is judged at."""
    from cache_store import open_store
    from cache_store.settings import Settings
    from nem import open_source

    settings = Settings()
    source = open_source(settings.lake)
    store = open_store(settings.store, memory_bytes=settings.memory_bytes, read_through=settings.read_through)
    return store, source, _now(source)


def _now(source: Source) -> datetime:
    return source.replay_now() or datetime.now(UTC)


def _window(arguments: argparse.Namespace) -> Window:
    from nem.windows import Window, parse_time

    return Window(parse_time(arguments.start), parse_time(arguments.end))


def _request(arguments: argparse.Namespace) -> dict[str, Any]:
    filters = {key: values for key in ("region_id", "fueltech_id", "duid") if (values := getattr(arguments, key))}
    return {"filters": filters, "resolution": arguments.resolution, "origin": arguments.origin}


def _query(arguments: argparse.Namespace) -> int:
    from cache_store import fetch
    from cache_store.export import export

    store, source, now = _open()
    answer = fetch(store, source, arguments.name, _window(arguments), now=now, **_request(arguments))
    if arguments.format == "table":
        store.connection.from_arrow(answer.table).show(max_rows=60, max_width=200)
    else:
        sys.stdout.buffer.write(export(answer, arguments.format))
        sys.stdout.buffer.flush()
    print(_receipt_line(answer.receipt, answer.table.num_rows), file=sys.stderr)
    return OK


def _receipt_line(receipt: Receipt, row_count: int) -> str:
    through = f"{receipt.data_through:%Y-%m-%d %H:%M} NEM" if receipt.data_through else "nothing"
    words = [
        f"{receipt.query} {receipt.window}",
        receipt.resolution,
        f"{row_count} rows",
        receipt.origin,
        f"data to {through}",
    ]
    return " · ".join([*words, *receipt.notes, "Source: AEMO"])


def _explain(arguments: argparse.Namespace) -> int:
    from cache_store import explain
    from cache_store.export import describe

    store, source, now = _open()
    receipt = explain(store, source, arguments.name, _window(arguments), now=now, **_request(arguments))
    if arguments.format == "json":
        print(json.dumps(describe(receipt)))
        return OK
    for segment in receipt.segments:
        print(f"{segment.window}  {segment.origin:6} {segment.reason:20} {segment.grain:6} {segment.build or ''}")
    return OK


def _status(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from cache_store.status import status

    store, _, now = _open()
    rows = [asdict(row) for row in status(store, now=now)]
    for row in rows:
        row["data_through"] = row["data_through"] and f"{row['data_through'].isoformat()}+10:00"
        row["lag_minutes"] = (lag := row.pop("lag")) and lag.total_seconds() / 60
    if arguments.format == "json":
        print(json.dumps(rows))
        return OK
    for row in rows:
        print(
            f"{row['query']:20} {row['grain']:6} {row['partitions']:5} partitions ({row['fresh']} fresh, "
            f"{row['expired']} expired) {row['byte_count'] / 1e6:8.1f} MB  data to {row['data_through'] or '-'}"
        )
    return OK


def _check(arguments: argparse.Namespace) -> int:
    from cache_store.errors import StoreUnavailableError, StoreVersionError
    from cache_store.upkeep import check, rebuild_manifest, repair

    store, source, now = _open()
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
    findings = check(store, source, now=now, sample=arguments.sample)
    for finding in findings:
        print(f"{finding.problem:12} {finding.path}")
    wrong = [finding for finding in findings if finding.entry]
    if arguments.repair:
        for query, period in repair(store, source, wrong, now=now):
            print(f"rebuilt      {query} {period}")
    state = "mended" if arguments.repair else "wrong"
    print(f"{len(store.manifest().entries)} partitions published, {len(wrong)} {state}")
    return WRONG if wrong and not arguments.repair else OK


def _gc(arguments: argparse.Namespace) -> int:
    from cache_store.upkeep import sweep

    store, _, _ = _open()
    quota = arguments.quota_mb * 10**6 if arguments.quota_mb is not None else None
    swept = sweep(store, now=datetime.now(UTC), byte_quota=quota, dry_run=arguments.dry_run)
    for path in swept.evicted:
        print(f"evicted      {path}")
    for path in swept.files:
        print(f"deleted      {path}")
    would = "would go" if arguments.dry_run else "gone"
    print(
        f"{len(swept.evicted)} partitions and {len(swept.files)} files {would}, {swept.byte_count / 1e6:.1f} MB on disk"
    )
    return OK


def _ingest(_arguments: argparse.Namespace) -> int:
    from cache_store.settings import Settings
    from nem.lake import land_sample

    lake = Settings().lake
    changed = land_sample(lake)
    for table, days in changed.items():
        print(f"{table:16} {len(days):3} days landed")
    print(f"the sample is in {lake}. Source: AEMO")
    return OK


def _warm(arguments: argparse.Namespace) -> int:
    from cache_store import CATALOGUE, find_query
    from cache_store.usage import most_asked, read_usage
    from flows.work import check_range, find_work

    # Checked before Prefect is imported: a bad request must not start a server first.
    window = check_range(arguments.start, arguments.end, None, arguments.asked)
    queries = [find_query(name) for name in arguments.query or CATALOGUE]
    if not arguments.dry_run:
        from flows.warm import warm_cache

        given = {name: getattr(arguments, name) for name in ("start", "end", "asked", "force")}
        print(warm_cache(queries=arguments.query, **given)["message"])
        return OK
    store, source, now = _open()
    shapes = most_asked(read_usage(store.root), arguments.asked) if arguments.asked else None
    work = find_work(store, source, queries, now=now, window=window, shapes=shapes, force=arguments.force)
    for batch in work.batches:
        for period in batch.periods:
            print(f"{batch.query:20} {period:10} {batch.reason}")
    for query, cause in work.unplanned.items():
        print(f"{query:20} cannot be planned: {cause}")
    print(f"{sum(len(batch.periods) for batch in work.batches)} due, {sum(work.fresh.values())} fresh")
    return NO_ANSWER if work.unplanned else OK


def _serve(arguments: argparse.Namespace) -> int:
    return _serve_and(arguments, lambda: None)


def _serve_and(arguments: argparse.Namespace, then: Callable[[], None]) -> int:
    """Serve until interrupted; ``then`` runs once the address answers."""
    from cache_store.settings import Settings
    from dashboard.app import serve

    def ready(url: str) -> None:
        print(f"the dashboard is at {url} (Ctrl+C ends it)", flush=True)
        then()

    settings = Settings()
    address, port = arguments.address or settings.address, arguments.port or settings.port
    try:
        serve(_market(), address=address, port=port, ready=ready)
    except OSError as error:
        return _complain(f"cannot listen on {address}:{port}: {error.strerror}; try another --port", BAD_REQUEST)
    return OK


def _market() -> Market:
    """What the pages may ask, bound to this installation."""
    from cache_store import extent, fetch
    from dashboard.data import Market

    store, source, _ = _open()
    return Market(
        ask=lambda query, window, **options: fetch(store, source, query, window, now=_now(source), **options),
        extent=lambda query: extent(store, source, query),
        clock=lambda: _now(source),
    )


def _up(arguments: argparse.Namespace) -> int:
    from cache_store.settings import Settings
    from nem.lake import land_sample, landed_days

    lake = Settings().lake
    if not landed_days(lake, "unit_scada"):
        print(f"no source yet: landing the bundled sample in {lake}", flush=True)
        land_sample(lake)
    warming: list[subprocess.Popen[bytes]] = []

    def warm() -> None:
        # A process of its own, at low priority: neither its imports nor its work may slow the pages.
        print("warming the cache; until it lands, answers are live", flush=True)
        warming.append(subprocess.Popen([sys.executable, str(Path(__file__)), "warm"]))
        os.setpriority(os.PRIO_PROCESS, warming[0].pid, 10)

    try:
        return _serve_and(arguments, warm)
    finally:
        for process in warming:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
