"""What tests of trainings share: folders of their own in the places of the user's."""

import os

import pytest


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory, monkeypatch):
    """Data, cache and configuration of whoever runs the tests are neither read nor written."""
    for name in [name for name in os.environ if name.startswith("CONVLAB_")]:
        monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("user")
    for name in ("DATA", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))
    return folder
