"""Where this installation keeps its files. Built at the edges only: the console script, a flow run, a served app."""

from __future__ import annotations

from pathlib import Path

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """From ``NEMWARM_*`` variables. ``lake`` and ``store`` default to folders of ``home``."""

    model_config = SettingsConfigDict(env_prefix="NEMWARM_", frozen=True)

    home: Path = Path("~/.nemwarm")
    lake: Path = Path()
    store: Path = Path()
    memory_bytes: int = 256 * 2**20
    read_through: bool = True
    address: str = "127.0.0.1"
    port: int = 5006

    @model_validator(mode="before")
    @classmethod
    def _under_home(cls, given: dict[str, object]) -> dict[str, object]:
        home = Path(str(given.get("home") or "~/.nemwarm")).expanduser()
        return {"lake": home / "lake", "store": home / "store"} | given | {"home": home}
