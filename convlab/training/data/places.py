"""Where data sets lie on this machine: the folder that they are downloaded to, and how a place is shown."""

from __future__ import annotations

from pathlib import Path

from convlab.paths import expanded
from convlab.settings import read_settings, settings_of


def data_folder() -> Path:
    """The folder that sets are downloaded to and looked for in: the setting ``data_folder``, or one in the user's data folder."""
    from platformdirs import user_data_path

    given = settings_of(read_settings()).data_folder
    return user_data_path("convlab", appauthor=False) / "data" if given == "auto" else expanded(given)
