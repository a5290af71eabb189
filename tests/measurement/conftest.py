"""What the tests of measuring share."""

import pytest


@pytest.fixture(autouse=True)
def _frozen(frozen):
    """Measuring collects garbage between samples."""
