"""That a Prefect server answers, asked before a flow begins, so that one that does not is a sentence and no traceback."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from prefect import get_client
from prefect.settings import get_current_settings
from sqlalchemy import make_url

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
    except (RuntimeError, OSError, sqlite3.Error) as error:
        problem = error
    if problem:
        raise ServerUnavailableError(f"no Prefect server {where}: {problem or type(problem).__name__}; {remedy}")


def _check_database(path: Path) -> None:
    """Begin to write to Prefect's SQLite, where there is one: its server, unable to, would be started again for ever."""
    if path.is_file():
        with closing(sqlite3.connect(path, timeout=60)) as database:
            database.execute("BEGIN IMMEDIATE")
