"""`nemwarm warm` where no Prefect server answers: a sentence that says what to do, at once, and nothing done."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_DATABASE_CONNECTION_URL, temporary_settings

import cli
from flows.server import newest_revision, revision_of

NEWER = "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('ffffffffffff')"


def write_nonsense(path: Path) -> None:
    path.write_text("no database, and long enough to be told from an empty one" * 20)


def write_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as made:
        made.executescript(NEWER)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation in which nothing is to be done."""
    monkeypatch.setenv("NEMWARM_HOME", str(tmp_path / "home"))
    yield tmp_path
    assert not (tmp_path / "home" / "store").exists()


def check(said: str, code: int, line: str) -> None:
    assert code == 3
    assert line.startswith("nemwarm: no Prefect server")
    assert said in line
    assert len(line.splitlines()) == 1


@pytest.mark.usefixtures("home")
def test_a_server_that_is_down_is_a_sentence_that_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as bound:  # and not listening: whoever asks is refused
        bound.bind(("127.0.0.1", 0))
        with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{bound.getsockname()[1]}/api"}):
            check("make deploy", cli.main(["warm"]), capsys.readouterr().err)


@pytest.mark.parametrize(
    ("write", "said"),
    [(write_nonsense, "file is not a database"), (write_newer, "Can't locate revision identified by 'ffffffffffff'")],
)
def test_a_database_of_no_use_is_a_sentence_that_says_what_to_do(
    write: Callable[[Path], object], said: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home / "prefect.db")
    database = {PREFECT_SERVER_DATABASE_CONNECTION_URL: f"sqlite+aiosqlite:///{home / 'prefect.db'}"}
    with temporary_settings(database, restore_defaults={PREFECT_API_URL}):
        check(f"{said}; free its disk, or move that file aside", cli.main(["warm"]), capsys.readouterr().err)


@pytest.mark.slow
def test_a_database_that_is_up_to_date_is_known_for_it(migrated: Path) -> None:
    with closing(sqlite3.connect(migrated / "prefect" / "prefect.db")) as database:
        assert revision_of(database) == newest_revision()
