"""That a Prefect server answers, asked before a flow begins, so that one that does not is a sentence and no traceback."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

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
    from prefect.server.database import provide_database_interface  # a second of imports

    if path.is_file():
        with closing(sqlite3.connect(path, timeout=60)) as database:
            database.execute("BEGIN IMMEDIATE")
    asyncio.run(provide_database_interface().create_db())
