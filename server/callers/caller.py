"""Callers: from a request or a socket to the identity, the rights and the keys that hold while it lasts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr
from starlette.requests import HTTPConnection

from catalogue.errors import BadUserInput, RateLimited, Unauthenticated
from catalogue.fingerprint import PREFIX, fingerprint
from catalogue.ports.audit import AUTHENTICATE, KEY_ACTOR, Audit
from catalogue.scope import Scope
from server.callers.addresses import Networks, Peer
from server.callers.client_limits import ClientLimits
from server.callers.key_trials import KeyTrials
from server.callers.provider_keys import HEADER, keys_from_header, read_keys
from server.config.tokens import Token, identify
from server.redaction import redact_in_connection

_CALLER = "catalogue.caller"
"""Names the caller in the ASGI scope."""
_MAX_EVENT_ID = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The sender of a request, or the opener of a socket."""

    client: str
    """The client that limits count it as."""
    address: str
    """The client that its address names, whatever its token."""
    token: Token | None
    wrong_token: bool
    """Whether it sent an `Authorization` header without a valid token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """Identifies callers by the operator's configuration."""

    tokens: tuple[Token, ...]
    providers: Collection[str]
    """The ids for which a caller may bring a key."""
    proxies: Networks = ()
    """Proxies whose X-Forwarded-For is believed."""
    limits: ClientLimits
    secret: SecretStr
    """Hashes keys for the audit log."""
    audit: Audit
    trials: KeyTrials = field(default_factory=KeyTrials)

    def caller_of(self, connection: HTTPConnection) -> Caller:
        """Identify the caller of a request or a socket; the second time, it is read from the ASGI scope."""
        caller: Caller | None = connection.scope.get(_CALLER)
        if caller is None:
            values = connection.headers.getlist("authorization")
            if values:
                redact_in_connection(value.partition(" ")[2].strip() or value for value in values)
            token = identify(values[0], self.tokens) if len(values) == 1 else None
            peer = Peer.of(connection.scope)
            if self.proxies:
                peer = peer.behind(self.proxies, connection.headers.getlist("x-forwarded-for"))
            address = peer.client
            client = f"token:{token.name}" if token and not self.limits.exempts(address) else address
            wrong = bool(values) and token is None
            caller = Caller(client=client, address=address, token=token, wrong_token=wrong)
            connection.scope[_CALLER] = caller
        return caller

    def admit(self, caller: Caller) -> None:
        """Count a request or a handshake; a wrong token counts against its address.

        Raises:
            RateLimited: the client has to wait first.
        """
        try:
            self.limits.spend(caller.client)
        except RateLimited:
            if caller.wrong_token:
                self._note_rejection(caller)
            raise

    def of_request(self, connection: HTTPConnection) -> Scope:
        """The scope of a request, or of a socket's handshake.

        Raises:
            ClientError: the token is wrong, a key is malformed, or too many different keys came lately.
        """
        caller = self.caller_of(connection)
        if caller.wrong_token:
            self._note_rejection(caller)
            raise Unauthenticated(
                "The token is not valid here; send 'Authorization: Bearer <token>', or no such header."
            )
        keys = keys_from_header(connection.headers.getlist(HEADER), self.providers)
        last_event_id = connection.headers.get("last-event-id") or None
        if last_event_id and (len(last_event_id) > _MAX_EVENT_ID or not last_event_id.isprintable()):
            raise BadUserInput("Last-Event-ID is not a cursor of this server; leave it out to start from now.")
        if keys:
            self._accept(keys, caller)
        token = caller.token
        return Scope(
            client=caller.client,
            actor=token.name if token else None,
            grants=token.grants if token else frozenset(),
            keys=keys,
            last_event_id=last_event_id,
        )

    def of_socket(self, connection: HTTPConnection, payload: Mapping[str, Any]) -> Scope:
        """The scope of a socket, from its handshake and from `providerKeys` in the payload of `connection_init`.

        Raises:
            ClientError: as for a request.
        """
        scope = self.of_request(connection)
        given = payload.get("providerKeys")
        if given is None:
            return scope
        keys = read_keys(given, "providerKeys", self.providers)
        self._accept(keys, self.caller_of(connection))
        return replace(scope, keys=MappingProxyType({**scope.keys, **keys}))

    def _note_rejection(self, caller: Caller) -> None:
        self.audit.note(actor=caller.address, action=AUTHENTICATE, outcome="rejected")

    def _accept(self, keys: Mapping[str, SecretStr], caller: Caller) -> None:
        """Redact keys, and count and note their use."""
        redact_in_connection(key.get_secret_value() for key in keys.values())
        fingerprints = {provider_id: fingerprint(self.secret, provider_id, key) for provider_id, key in keys.items()}
        if caller.token is None and not self.limits.exempts(caller.client):
            self.trials.admit(caller.client, fingerprints)
        for provider_id, known_as in fingerprints.items():
            actor = f"{KEY_ACTOR}{known_as[:PREFIX]}"
            self.audit.note(actor=actor, action="useProviderKey", target=provider_id, outcome="ok")
