"""The command `health`: what it shows, and what its exit codes mean."""

import pytest

from tests.server.command.commands import Run, health_of, on_terminal
from tests.server.command.fake_server import FakeServer


@pytest.mark.parametrize(
    ("statuses", "code"), [(("HEALTHY", "DEGRADED"), 0), (("HEALTHY", "DOWN"), 3), (("DOWN", "DOWN"), 4), ((), 0)]
)
def test_health_tells_by_its_exit_code_whether_some_or_all_are_down(
    fake: FakeServer, run: Run, statuses: tuple[str, ...], code: int
) -> None:
    fake.data = {"providerHealth": [health_of(f"p{number}", status) for number, status in enumerate(statuses)]}
    exit_code, out, _ = run("health", "--url", fake.url)
    assert exit_code == code
    assert len(out.splitlines()) == len(statuses)
    assert ("It did not answer." in out) == ("DOWN" in statuses)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_health_ready_is_an_exit_code_for_a_health_check(fake: FakeServer, run: Run, status: int, code: int) -> None:
    fake.statuses = {"/readyz": status}
    assert run("health", "--ready", "--url", fake.url) == (code, "", "")


def test_health_tells_the_age_of_a_success_and_the_list_that_is_held_back(
    fake: FakeServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = {"quarantine": {"id": "0123456789abcdef0123456789abcdef", "reason": "The list is empty."}}
    row = {**health_of("p", "HEALTHY"), **held, "lastSuccessAt": "2026-05-01T12:00:00.5Z"}
    fake.data = {"providerHealth": [row]}
    _, lines = on_terminal(run, monkeypatch, 80, "health", "--url", fake.url)
    assert "d ago" in lines[1]
    assert "0123456789abcdef0123456789abcdef" in "\n".join(lines)
    assert "\t2026-05-01T12:00:00Z\tQuarantined as 0123456789abcdef" in run("health", "--url", fake.url)[1]


def test_models_and_health_send_no_token(fake: FakeServer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOGUE_TOKEN", "s3cret")
    fake.data = {"models": []}
    run("models", "--url", fake.url)
    assert "Authorization" not in fake.headers[-1]
