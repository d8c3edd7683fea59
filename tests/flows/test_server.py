"""`nemwarm warm` where no Prefect server answers: a sentence that says what to do, at once, and nothing done."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

NEWER = "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('ffffffffffff')"


def spoil(path: Path, database: str) -> None:
    if database == "no database":
        path.write_text("no database, and long enough to be told from an empty one" * 20)
    elif database == "newer":
        with closing(sqlite3.connect(path)) as made:
            made.executescript(NEWER)


@pytest.mark.parametrize(
    ("url", "database", "said"),
    [
        ("http://127.0.0.1:{free}/api", "", "make deploy"),
        ("", "no database", "file is not a database; free its disk, or move that file aside"),
        ("", "newer", "Can't locate revision identified by 'ffffffffffff'; free its disk, or move that file aside"),
    ],
)
def test_no_server_is_a_sentence_that_says_what_to_do(url: str, database: str, said: str, tmp_path: Path) -> None:
    spoil(tmp_path / "prefect.db", database)
    with socket.socket() as free:  # bound and not listening: whoever asks is refused
        free.bind(("127.0.0.1", 0))
        given = {"PREFECT_API_URL": url.format(free=free.getsockname()[1])} if url else {}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        environment |= {"NEMWARM_HOME": str(tmp_path / "home"), "PREFECT_HOME": str(tmp_path)} | given
        done = subprocess.run([sys.executable, "-m", "cli", "warm"], capture_output=True, text=True, env=environment)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith("nemwarm: no Prefect server")
    assert said in line
    assert not (tmp_path / "home" / "store").exists()
