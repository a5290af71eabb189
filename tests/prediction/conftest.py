"""A calibration of a device that does not exist, and an empty data folder."""

import pytest
import synthetic


@pytest.fixture(scope="session")
def made():
    """A calibration of a device that does not exist."""
    return synthetic.calibration()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty data folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"
