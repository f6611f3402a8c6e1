"""The command `refresh`: its progress, its exit codes, and where it finds its token."""

from pathlib import Path

import pytest

from server.command.operations import REFRESH
from server.command.refresh_progress import following_progress
from server.command.remote import Remote
from server.command.tables import step_display
from tests.server.command.commands import Run, refresh_of
from tests.server.command.fake_server import FakeServer


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        (("UPDATED", "UNCHANGED", "SKIPPED", "IN_PROGRESS"), 0),
        (("UPDATED", "FAILED"), 3),
        (("UNCHANGED", "KEPT_LAST_GOOD", "QUARANTINED"), 3),
        (("FAILED", "KEPT_LAST_GOOD"), 4),
    ],
)
def test_refresh_tells_by_its_exit_code_whether_some_or_all_failed(
    fake: FakeServer, run: Run, outcomes: tuple[str, ...], code: int
) -> None:
    rows = [refresh_of(f"p{number}", outcome) for number, outcome in enumerate(outcomes)]
    fake.data = {"refreshCatalogue": {"results": rows}}
    exit_code, out, _ = run("refresh", "--url", fake.url)
    assert exit_code == code
    assert (
        out.splitlines()[0]
        == f"p0\t{outcomes[0]}\t4\t1\t2\t3\t1.5\t{'It did not answer.' if outcomes[0] == 'FAILED' else ''}"
    )


def test_refresh_says_its_progress_beside_the_output(fake: FakeServer, run: Run) -> None:
    step = {"provider": {"id": "openrouter"}, "step": "FETCHING", "received": 2048, "modelCount": None}
    fake.events = [{"refreshProgress": step}]
    fake.data = {"refreshCatalogue": {"results": []}}
    said: list[tuple[str, str, str]] = []
    with following_progress(Remote(fake.url), lambda *told: said.append(told)) as followed:
        followed.join()
        Remote(fake.url).query(REFRESH, {"force": True})
    assert said == [("openrouter", "fetching", "2 KiB")]
    assert run("refresh", "--url", fake.url, "--json")[1] == "[]\n"


def test_a_server_that_ends_while_progress_is_told_is_no_error_of_its_own(
    fake: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.events = [{"refreshProgress": {"provider": {"id": "a"}, "step": "DONE", "received": None, "modelCount": 1}}]
    fake.breaks_off = True
    said: list[str] = []
    with following_progress(Remote(fake.url), lambda subject, *_: said.append(subject)) as followed:
        followed.join()
    assert said == ["a"]
    assert capsys.readouterr().err == ""


def test_without_a_terminal_each_step_is_one_line_however_much_arrives(capsys: pytest.CaptureFixture[str]) -> None:
    with step_display() as tell:
        for size in ("", "64 KiB", "128 KiB"):
            tell("a", "fetching", size)
        tell("b", "fetching", "")
        tell("a", "done", "3 models")
    assert capsys.readouterr().err == "a: fetching\nb: fetching\na: done, 3 models\n"


def test_on_a_terminal_the_steps_change_in_place_and_leave_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with step_display() as tell:
        for size in range(100):
            tell("a", "fetching", f"{size} KiB")
    out, err = capsys.readouterr()
    assert out == ""
    assert "99 KiB" in err
    assert err.count("\n") < 5


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "FORBIDDEN"])
def test_refresh_without_a_token_says_the_three_ways_to_give_one(fake: FakeServer, run: Run, code: str) -> None:
    fake.errors = [{"message": "This needs a token.", "extensions": {"code": code}}]
    exit_code, _, err = run("refresh", "--url", fake.url)
    assert (exit_code, err.count("\n")) == (1, 1)
    assert all(way in err for way in ("--token-file", "CATALOGUE_TOKEN", "admin-token"))


@pytest.mark.parametrize("source", ["environment", "file", "data folder"])
def test_refresh_finds_its_token(
    fake: FakeServer, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    fake.data = {"refreshCatalogue": {"results": []}}
    words = []
    if source == "environment":
        monkeypatch.setenv("CATALOGUE_TOKEN", "s3cret")
    elif source == "file":
        (tmp_path / "token").write_text("s3cret\n")
        words = ["--token-file", str(tmp_path / "token")]
    else:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "admin-token").write_text("s3cret")
    assert run("refresh", *words, "--if-old", "--url", fake.url)[0] == 0
    assert fake.headers[-1]["Authorization"] == "Bearer s3cret"
    assert fake.variables == {"force": False}


def test_a_token_file_that_cannot_be_read_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    assert run("refresh", "--token-file", str(tmp_path / "missing"))[0] == 2
