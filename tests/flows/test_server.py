"""`nemwarm warm` where no Prefect server answers: a sentence that says what to do, at once, and nothing done."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"PREFECT_API_URL": "http://127.0.0.1:{free}/api"}, "make deploy"),
        ({}, "file is not a database; free its disk, or move that file aside"),
    ],
)
def test_no_server_is_a_sentence_that_says_what_to_do(given: dict[str, str], said: str, tmp_path: Path) -> None:
    (tmp_path / "prefect.db").write_text("no database, and long enough to be told from an empty one" * 20)
    with socket.socket() as free:  # bound and not listening: whoever asks is refused
        free.bind(("127.0.0.1", 0))
        given = {name: value.format(free=free.getsockname()[1]) for name, value in given.items()}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        environment |= {"NEMWARM_HOME": str(tmp_path / "home"), "PREFECT_HOME": str(tmp_path)} | given
        done = subprocess.run([sys.executable, "-m", "cli", "warm"], capture_output=True, text=True, env=environment)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith("nemwarm: no Prefect server")
    assert said in line
    assert not (tmp_path / "home" / "store").exists()
