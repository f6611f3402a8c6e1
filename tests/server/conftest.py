"""What every test of the server's rim needs."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from server import cli, redaction
from tests.server.command.commands import Run
from tests.server.command.fake_server import FakeServer, serving


@pytest.fixture(autouse=True)
def _nothing_carried() -> None:
    """Let no test carry another's keys: they share one context, as requests never do."""
    redaction.begin_connection()


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with serving(FakeServer()) as server:
        yield server


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("CATALOGUE_DATA_DIR", str(tmp_path / "data"))

    def run_(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["catalogue", *words])
        code: object = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        assert code is None or isinstance(code, int)
        return code or 0, out, err

    return run_
