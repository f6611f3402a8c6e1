"""Running commands of the command line, and what a server answers them."""

import re
from collections.abc import Callable
from typing import Any

import pytest

MODEL = {
    "id": "openrouter/lab/model",
    "name": "A model\x1b[31m",
    "provider": {"id": "openrouter", "name": "OpenRouter"},
    "status": "AVAILABLE",
    "errorMessage": None,
    "capabilities": ["CHAT", "VISION"],
    "contextMax": 128000,
    "outputMax": None,
    "pricing": {"inputPerMillion": 0.25, "outputPerMillion": None, "currency": "USD"},
    "expiresAt": None,
    "lastChecked": "2026-05-01T12:00:00Z",
    "source": "LIVE",
}


Run = Callable[..., tuple[int, str, str]]


def health_of(provider: str, status: str) -> dict[str, Any]:
    error = {"code": "TIMEOUT", "message": "It did not answer.", "retryable": True, "at": "2026-05-01T12:00:00Z"}
    return {
        "provider": {"id": provider, "name": provider, "configured": True},
        "status": status,
        "modelCount": 3,
        "latencyMs": 12.4,
        "lastChecked": None,
        "lastSuccessAt": None,
        "consecutiveFailures": 0,
        "error": error if status == "DOWN" else None,
        "quarantine": None,
    }


def refresh_of(provider: str, outcome: str) -> dict[str, Any]:
    error = {"code": "TIMEOUT", "message": "It did not answer."} if outcome == "FAILED" else None
    counts = {"added": 1, "removed": 2, "changed": 3, "modelCount": 4, "durationMs": 1540.0}
    return {"provider": {"id": provider}, "outcome": outcome, **counts, "error": error}


def on_terminal(run: Run, monkeypatch: pytest.MonkeyPatch, width: int, *words: str) -> tuple[int, list[str]]:
    """The exit code and the lines of a command on a terminal of some width, without colours and spaces at the end."""
    with monkeypatch.context() as terminal:
        terminal.setattr("sys.stdout.isatty", lambda: True)
        terminal.setenv("COLUMNS", str(width))
        terminal.setenv("TERM", "xterm")
        code, out, _ = run(*words)
    return code, [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()]
