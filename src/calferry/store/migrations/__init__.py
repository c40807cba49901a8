"""The ledger's tables, version by version (Alembic). Alembic is loaded only when there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import String, column, inspect, select, table

from calferry import __version__
from calferry.errors import ConfigError
from calferry.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0008"
"""The version that this calferry works with."""

VERSION = table("alembic_version", column("version_num", String))


def bring_up(database: Database) -> None:
    """Bring the tables to `HEAD`, in one transaction. Raises ConfigError for a ledger of a newer calferry."""
    version = _version(database)
    if version == HEAD:
        return
    if version is not None and version not in _known():
        message = (
            f"The ledger was written by a newer calferry (its tables are of version {version}; this is calferry "
            f"{__version__} with version {HEAD}). Install the newer calferry, or restore a ledger from before."
        )
        raise ConfigError([message])
    from alembic import command

    with database.writing() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_up_to_date(database: Database) -> bool:
    return _version(database) == HEAD


def configuration() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _version(database: Database) -> str | None:
    with database.reading() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        version = connection.scalar(select(VERSION.c.version_num))
        return None if version is None else str(version)


def _known() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()}
