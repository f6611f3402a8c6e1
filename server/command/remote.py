"""A client for a running server: GraphQL over HTTP, without redirects or proxies, light to import."""

import json
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

MAX_ANSWER = 64 * 1024 * 1024
_TIMEOUT = 15.0
_WRONG_INPUT = frozenset({"BAD_USER_INPUT", "UNKNOWN_PROVIDER"})
_TOKEN_REFUSED = frozenset({"UNAUTHENTICATED", "FORBIDDEN"})


class RemoteError(Exception):
    """A request to the server failed; the message is one line."""

    wrong_input = False
    """Whether the user's input caused the error."""


class WrongInput(RemoteError):
    """The user's input caused the error."""

    wrong_input = True


class TokenRefused(RemoteError):
    """The server requires a token, or rejected the one that was sent."""


class Remote:
    """A client for the server at a URL; `timeout` is in seconds."""

    def __init__(self, url: str, *, token: str | None = None, timeout: float = _TIMEOUT) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
            raise WrongInput("The server's URL must look like http://127.0.0.1:8000.")
        self.url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        self._secure = parts.scheme == "https"
        self._host, self._port, self._path = parts.hostname, port, parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout = timeout

    def status(self, path: str) -> int:
        """Send a GET request and return the status."""
        with self._open("GET", path, {}) as response:
            return response.status

    def query(self, document: str, variables: Mapping[str, object]) -> Mapping[str, Any]:
        """Run an operation and return its data."""
        with self._open("POST", "/graphql", {"Accept": "application/json"}, document, variables) as response:
            return _data(self._decoded(response))

    def follow(self, document: str) -> Iterator[Mapping[str, Any]]:
        """Run a subscription: yield {} when it starts, then the data of each event until the server ends it.

        Raises:
            RemoteError: the server does not stream, or the stream breaks off.
        """
        with self._open("POST", "/graphql", {"Accept": "text/event-stream"}, document, {}) as response:
            if response.status != 200 or not response.headers["content-type"].startswith("text/event-stream"):  # noqa: PLR2004
                raise RemoteError(f"{self.url} does not stream events.")
            yield {}
            try:
                for line in response:
                    if line.startswith(b"data:") and line[5:].strip():
                        yield _data(json.loads(line[5:]))
            except (OSError, HTTPException, ValueError):
                raise RemoteError(f"{self.url} closed the event stream early.") from None

    def _open(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        document: str | None = None,
        variables: Mapping[str, object] | None = None,
    ) -> HTTPResponse:
        body = None if document is None else json.dumps({"query": document, "variables": variables})
        kind = HTTPSConnection if self._secure else HTTPConnection
        try:
            connection = kind(self._host, self._port, timeout=self._timeout)
            all_headers = {**self._headers, **headers, "Content-Type": "application/json", "Connection": "close"}
            connection.request(method, f"{self._path}{path}", body, all_headers)
            return connection.getresponse()
        except (OSError, HTTPException, ValueError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise RemoteError(
                f"No server answers at {self.url} ({why}). Start one with 'catalogue serve', or pass its URL in --url."
            ) from None

    def _decoded(self, response: HTTPResponse) -> object:
        try:
            body = response.read(MAX_ANSWER + 1)
            if len(body) <= MAX_ANSWER:
                return json.loads(body)
        except (OSError, HTTPException, ValueError):
            pass
        raise RemoteError(f"{self.url} did not answer with GraphQL (status {response.status}). Check the URL.")


def _data(answer: object) -> Mapping[str, Any]:
    if isinstance(answer, dict) and answer.get("errors"):
        error = answer["errors"][0]
        code = error.get("extensions", {}).get("code")
        kind = WrongInput if code in _WRONG_INPUT else TokenRefused if code in _TOKEN_REFUSED else RemoteError
        raise kind(str(error.get("message")))
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict):
        raise RemoteError("The server's response has no data.")
    return data
