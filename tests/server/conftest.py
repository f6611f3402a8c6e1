"""What every test of the server's rim needs."""

import pytest

from server import redaction


@pytest.fixture(autouse=True)
def _nothing_carried() -> None:
    """Let no test carry another's keys: they share one context, as requests never do."""
    redaction.carry_anew()
