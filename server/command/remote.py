"""A client for a running server: GraphQL over HTTP, without redirects or proxies, light to import."""

import json
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

MAX_ANSWER = 64 * 1024 * 1024
_FAILURES = (OSError, HTTPException, ValueError)


class RemoteError(Exception):
    """A request to the server failed; the message is one line."""


class WrongInput(RemoteError):
    """The user's input caused the error."""


class TokenRefused(RemoteError):
    """The server requires a token, or rejected the one that was sent."""


_KINDS = {
    "BAD_USER_INPUT": WrongInput,
    "UNKNOWN_PROVIDER": WrongInput,
    "UNAUTHENTICATED": TokenRefused,
    "FORBIDDEN": TokenRefused,
}


class Remote:
    """A client for the server at a URL; `timeout` is in seconds."""

    def __init__(self, url: str, *, token: str | None = None, timeout: float = 15.0) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
            raise WrongInput("The server's URL must look like http://127.0.0.1:8000.")
        self._path = parts.path.rstrip("/")
        self.url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{self._path}"
        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port, self._timeout = parts.hostname, port, timeout
        self._headers = {"Content-Type": "application/json", "Connection": "close"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def status(self, path: str) -> int:
        """Send a GET request and return the status."""
        with self._open("GET", path) as response:
            return response.status

    def query(self, document: str, variables: Mapping[str, object]) -> Mapping[str, Any]:
        """Run an operation and return its data."""
        with self._post(document, variables, accept="application/json") as response:
            try:
                body = response.read(MAX_ANSWER + 1)
                if len(body) <= MAX_ANSWER:
                    return _data(json.loads(body))
            except _FAILURES:
                pass
            raise RemoteError(f"{self.url} did not answer with GraphQL (status {response.status}). Check the URL.")

    def follow(self, document: str) -> Iterator[Mapping[str, Any]]:
        """Run a subscription: yield {} when it starts, then the data of each event until the server ends it.

        Raises:
            RemoteError: the server does not stream, or the stream breaks off.
        """
        with self._post(document, {}, accept="text/event-stream") as response:
            if response.status != 200 or not response.headers["content-type"].startswith("text/event-stream"):  # noqa: PLR2004
                raise RemoteError(f"{self.url} does not stream events.")
            yield {}
            try:
                for line in response:
                    if line.startswith(b"data:") and line[5:].strip():
                        yield _data(json.loads(line[5:]))
            except _FAILURES:
                raise RemoteError(f"{self.url} closed the event stream early.") from None

    def _post(self, document: str, variables: Mapping[str, object], *, accept: str) -> HTTPResponse:
        return self._open("POST", "/graphql", json.dumps({"query": document, "variables": variables}), Accept=accept)

    def _open(self, method: str, path: str, body: str | None = None, **headers: str) -> HTTPResponse:
        try:
            connection = self._kind(self._host, self._port, timeout=self._timeout)
            connection.request(method, f"{self._path}{path}", body, {**self._headers, **headers})
            return connection.getresponse()
        except _FAILURES as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise RemoteError(
                f"No server answers at {self.url} ({why}). Start one with 'catalogue serve', or pass its URL in --url."
            ) from None


def _data(answer: object) -> Mapping[str, Any]:
    if isinstance(answer, dict) and answer.get("errors"):
        error = answer["errors"][0]
        raise _KINDS.get(error.get("extensions", {}).get("code"), RemoteError)(str(error.get("message")))
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict):
        raise RemoteError("The server's response has no data.")
    return data
