"""That a Prefect server answers, asked before a flow begins, so that one that does not is a sentence and no traceback."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import prefect
from alembic.util import CommandError
from prefect import get_client
from prefect.settings import get_current_settings
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from cache_store.errors import CacheStoreError


class ServerUnavailableError(CacheStoreError):
    """The operator's to mend: no Prefect server answers, so no flow can run; nothing was done."""


def require_server() -> None:
    """Return once Prefect's server answers: the one that is configured, else one of Prefect's own, started here.

    Raises:
        ServerUnavailableError: it does not.
    """
    settings = get_current_settings()
    if url := settings.api.url:
        where, remedy = f"at {url}", "start it (`make deploy`), or unset PREFECT_API_URL to run without one"
    else:
        secret = settings.server.database.connection_url
        database = (make_url(secret.get_secret_value()).database if secret else None) or ""
        where = f"with its database {database}"
        remedy = "free its disk, or move that file aside (Prefect's history is lost, no data)"
    try:
        if not url:
            _check_database(Path(database))
        with get_client(sync_client=True) as client:
            problem = client.api_healthcheck()
    except (RuntimeError, OSError, sqlite3.Error, SQLAlchemyError, CommandError) as error:
        problem = error
    if problem:
        said = str(problem).partition("\n")[0] or type(problem).__name__
        raise ServerUnavailableError(f"no Prefect server {where}: {said}; {remedy}")


def _check_database(path: Path) -> None:
    """Begin to write to Prefect's SQLite, and bring it up to date, as its server does first: unable to, it starts for ever."""
    if path.is_file():
        with closing(sqlite3.connect(path, timeout=60)) as database:
            database.execute("BEGIN IMMEDIATE")
            if revision_of(database) == newest_revision():
                return
    # Imported here: a second, and as much again to find nothing to do.
    from prefect.server.database import provide_database_interface

    asyncio.run(provide_database_interface().create_db())


def revision_of(database: sqlite3.Connection) -> str:
    """Of the schema that is there; empty where there is none."""
    has_any = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    held = database.execute("SELECT version_num FROM alembic_version").fetchone() if has_any else None
    return str(held[0]) if held else ""


def newest_revision() -> str:
    """Of the schema this Prefect has, by the names of its migrations, ``2026_09_15_000000_a3b9c7d2e5f1_about.py``."""
    names = Path(prefect.__file__).with_name("server").glob("database/_migrations/versions/sqlite/*_*.py")
    return max((path.name for path in names), default="____").split("_")[4]
