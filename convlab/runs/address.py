"""Where a store is: a file, or the URL of a PostgreSQL database, as given, as set, or in the user's data folder."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from convlab.errors import ConvlabError, Place, Problem, quote
from convlab.paths import expanded
from convlab.runs.plain import argument_without_passwords, is_secret, without_passwords

FILE = "runs.sqlite"
_EXAMPLE = "--store runs.sqlite, or --store postgresql://USER@HOST:PORT/DATABASE"


def address_of(where: str | Path | None) -> Path | URL:
    """The file or URL that is meant; None is the setting. Raises ConvlabError for a URL that cannot be read or used."""
    text = str(where) if where is not None else _setting()
    if not text.strip():
        raise _bad(text, "the name of the store is empty")
    if text == "auto":
        return default_file()
    if "://" not in text:
        return expanded(text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise _bad(text, "the URL of the store cannot be read") from None
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(url.database)
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise _bad(text, f"a store is a SQLite file or a PostgreSQL database, not {quote(url.drivername)}")
    if find_spec("psycopg") is None:
        help = "pip install 'convlab[postgres]'"
        raise ConvlabError(Problem("missing-package", "a store on PostgreSQL needs psycopg 3", help=help), exit_code=2)
    return url.set(drivername="postgresql+psycopg")


def default_file() -> Path:
    """The file in the user's data folder."""
    from platformdirs import user_data_path

    return user_data_path("convlab", appauthor=False) / FILE


def shown(address: Path | URL) -> str:
    """The address for people, without passwords and keys that a URL may hold, and without the driver, which is always the same."""
    if isinstance(address, Path):
        return str(address)
    query = {name: "" if is_secret(name) else value for name, value in address.query.items()}
    written = address.set(drivername="postgresql", query=query).render_as_string(hide_password=True)
    return without_passwords(written)


def _setting() -> str:
    from convlab.settings import read_settings, settings_of

    return settings_of(read_settings()).store


def _bad(text: str, message: str) -> ConvlabError:
    text = argument_without_passwords(text)
    return ConvlabError(Problem("usage", message, Place("--store", 1, 1, text, len(text)), help=_EXAMPLE), exit_code=2)
