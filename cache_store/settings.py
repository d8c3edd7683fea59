"""Where this installation keeps its files. Built at the edges only: the console script, a flow run, a served app."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from nem.feeds import FEEDS, Addresses, choose_feeds


class Settings(BaseSettings):
    """From ``NEMWARM_*`` variables. ``lake`` and ``store`` default to folders of ``home``; ``nemweb`` says where files are.

    ``feeds`` are those taken of AEMO's, by name; as a variable, with commas between.
    """

    model_config = SettingsConfigDict(
        env_prefix="NEMWARM_", env_nested_delimiter="_", env_nested_max_split=1, frozen=True
    )

    home: Path = Path("~/.nemwarm")
    lake: Path = Path()
    store: Path = Path()
    memory_bytes: int = Field(default=256 * 2**20, ge=0)
    read_through: bool = True
    address: str = "127.0.0.1"
    port: int = Field(default=5006, ge=1, le=65_535)
    nemweb: Annotated[Addresses, NoDecode] = Addresses()
    feeds: Annotated[tuple[str, ...], NoDecode] = tuple(FEEDS)
    user_agent: str | None = Field(default=None, pattern="^[ -~]*$")  # what a header takes

    @model_validator(mode="before")
    @classmethod
    def _under_home(cls, given: dict[str, object]) -> dict[str, object]:
        # Set to nothing, as a variable may be, they are not set: an empty path is where the command happens to run.
        try:
            home = Path(str(given.get("home") or "~/.nemwarm")).expanduser()
            folders = {name: Path(str(given.get(name) or home / name)).expanduser() for name in ("lake", "store")}
        except RuntimeError as error:
            raise ValueError(f"home: {error}") from error
        return given | {"home": home} | folders

    @field_validator("feeds", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        names = [name.strip() for name in given.split(",")] if isinstance(given, str) else given
        return tuple(feed.name for feed in choose_feeds(names)) if isinstance(names, list) else names
