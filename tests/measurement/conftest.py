"""What the tests of measuring share."""

import pytest


@pytest.fixture(autouse=True)
def _frozen(thawed_at_the_end, frozen):
    """Measuring collects garbage before and between samples."""
