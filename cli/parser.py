"""The command line: every command, its arguments and their bounds."""

from __future__ import annotations

import argparse
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from cli import ask, ingest, keep, serve, status
from cli.codes import BAD_REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable


class _Parser(argparse.ArgumentParser):
    fill: Callable[[], None] | None = None  # adds its arguments once this command is the one given

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self.fill:
            self.fill()
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_REQUEST, f"nemwarm: {message}; see `{self.prog} --help`\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of ``nemwarm``; each command leaves the function that runs it in ``run``."""
    parser = _Parser(prog="nemwarm", description="Answers about Australia's electricity market, warmed before asked.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Callable[[argparse.Namespace], int], about: str) -> _Parser:
        made: _Parser = commands.add_parser(name, help=about, description=about)
        made.set_defaults(run=run)
        return made

    up = "land the bundled sample if there is no source, serve the dashboard, warm in the background"
    _add_address(command("up", serve.run_up, up))
    served = command("serve", serve.run_serve, "serve the dashboard")
    _add_address(served)
    served.add_argument("--processes", type=_count(1, 64), default=1, help="how many share the readers (default: 1)")
    served.add_argument("--handed", help=argparse.SUPPRESS)  # one of several: the socket its connections come over
    _add_origin(command("ingest", ingest.run_ingest, "land data in the source lake; AEMO's current feeds by default"))
    _add_work(command("warm", keep.run_warm, "warm the cache through the Prefect flow"))
    shown = command("status", status.run_status, "what is warmed, how fresh, how far behind; what was landed")
    shown.add_argument("--format", choices=["table", "json", "prometheus"], default="table")
    runs = command(
        "history", status.run_history, "what runs did, newest first: what started them, what they built, what failed"
    )
    runs.add_argument("--failed", action="store_true", help="only runs that failed")
    runs.add_argument("--limit", type=_count(1), default=20, help="default: 20")
    runs.add_argument("--format", choices=["table", "json"], default="table", help="json is a line per run")
    checked = command("check", keep.run_check, "verify every partition; exit code 1 if one is wrong")
    checked.add_argument("--repair", action="store_true", help="quarantine and rebuild what is wrong, the manifest too")
    checked.add_argument(
        "--sample", type=_count(), default=3, help="partitions to recompute from the source (default: 3)"
    )
    attached = command("attach", keep.run_attach, "make the store a copy of one in object storage, to share it")
    attached.add_argument("url", help="such as s3://bucket/folder; its keys and endpoint come from AWS_* variables")
    swept = command("gc", keep.run_gc, "delete files that no manifest names")
    swept.add_argument("--dry-run", action="store_true", help="only say what would go")
    swept.add_argument(
        "--quota-mb", type=_count(), help="first drop the oldest partitions of the finest grain down to this"
    )
    asked = command("query", ask.run_query, "answer a query")
    asked.fill = partial(_add_request, asked, ["table", "csv", "json", "parquet"])
    explained = command("explain", ask.run_explain, "how a query would be answered, opening no data file")
    explained.fill = partial(_add_request, explained, ["table", "json"])
    return parser


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--address", help="interface to listen on (default: loopback)")
    parser.add_argument("--port", type=_count(1, 65_535), help="default: 5006")
    parser.add_argument(
        "--origin",
        type=_origin,
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="another address readers reach this one under, such as a proxy's; may be repeated",
    )
    sign_in = parser.add_mutually_exclusive_group()
    sign_in.add_argument(
        "--basic-auth", type=Path, metavar="FILE", help='have readers sign in; FILE is JSON, {"user": "password"}'
    )
    sign_in.add_argument(
        "--oauth-provider",
        choices=["auth0", "azure", "azurev2", "bitbucket", "generic", "github", "gitlab", "google", "okta"],
        help="have readers sign in elsewhere, through Panel: PANEL_OAUTH_KEY and _SECRET, for generic also _AUTHORIZE_URL, _TOKEN_URL and _USER_URL",
    )
    parser.set_defaults(processes=1, handed=None)


def _add_origin(parser: argparse.ArgumentParser) -> None:
    _add_window(parser, required=False)
    parser.add_argument(
        "--feed", action="append", metavar="NAME", help="only this current feed, such as dispatch; may be repeated"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--sample", action="store_true", help="the bundled 22 days of October 2017")
    what.add_argument(
        "--from",
        dest="place",
        metavar="PLACE",
        help="a folder of AEMO's files, or one of them; or the http address of either",
    )
    parser.add_argument(
        "--trimmed",
        action="store_true",
        help="also land files that hold fewer lines than they say (history and --from)",
    )
    parser.add_argument("--force", action="store_true", help="take history again that was taken before")


def _add_work(parser: argparse.ArgumentParser) -> None:
    _add_window(parser, required=False)
    parser.add_argument("--query", action="append", help="only this query; may be repeated")
    parser.add_argument(
        "--asked", type=_count(1), metavar="N", help="only what the N requests mean that readers asked most"
    )
    parser.add_argument("--budget-mb", type=_count(), help="of these, only as many as take so many megabytes together")
    parser.add_argument("--force", action="store_true", help="rebuild what is not due, too")
    parser.add_argument("--dry-run", action="store_true", help="only say what is due and why, opening no data file")


def _origin(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no HOST or HOST:PORT")
    return text


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
    from cache_store.catalogue import CATALOGUE, FILTERS  # and DuckDB, Arrow: not for every command's --help

    parser.add_argument("name", metavar="query", help=", ".join(CATALOGUE))
    _add_window(parser, required=True)
    parser.add_argument("--resolution", default="auto", help="auto, 5min, 30min, 1h, 1d or 1M")
    for column, option in FILTERS.items():
        about = next(query.columns[column].about for query in CATALOGUE.values() if column in query.filterable)
        parser.add_argument(option, dest=column, action="append", help=f"{about}; may be repeated")
    parser.add_argument(
        "--origin", default="auto", help="auto, cache (never asks the source) or live (opens no partition)"
    )
    parser.add_argument("--measure", action="append", help="only this measure or ratio; may be repeated")
    parser.add_argument("--format", choices=forms, default="table")
