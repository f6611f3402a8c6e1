"""Who calls: from a request or a socket to the identity, the rights and the keys that hold while it lasts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr
from starlette.requests import HTTPConnection

from catalogue.audit import AUTHENTICATE, KEY_ACTOR
from catalogue.errors import BadUserInput, RateLimited, Unauthenticated
from catalogue.fingerprint import PREFIX, fingerprint
from catalogue.ports.audit import Audit
from catalogue.scope import Scope
from server.callers.addresses import address_client, is_within, read_address
from server.callers.client_limits import ClientLimits
from server.callers.key_trials import KeyTrials
from server.callers.provider_keys import HEADER, keys_from_header, read_keys
from server.config.tokens import Token, identify
from server.redaction import carry

CLIENT = "catalogue.client"
"""Where the client's name stands in the ASGI scope, for the headers of the answer."""
_MAX_EVENT_ID = 256
_MAX_HOPS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """Knows callers by what the operator configured."""

    tokens: tuple[Token, ...]
    providers: Collection[str]
    """The ids for which a caller may bring a key."""
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Whose X-Forwarded-For is believed."""
    limits: ClientLimits
    secret: SecretStr
    """What keys are hashed with for the audit log."""
    audit: Audit
    trials: KeyTrials = field(default_factory=KeyTrials)

    def of_request(self, connection: HTTPConnection) -> Scope:
        """Tell who sends a request, or opens a socket.

        Raises:
            ClientError: the token is wrong, a key cannot be one, or there were too many different ones lately.
        """
        address = self.address_of(connection)
        token = self._token(connection, address)
        keys = keys_from_header(connection.headers.getlist(HEADER), self.providers)
        last_event_id = _last_event_id(connection)
        client = self._client(token, address)
        self._accept(keys, client, by_token=token is not None)
        return Scope(
            client=client,
            actor=token.name if token else None,
            grants=token.grants if token else frozenset(),
            keys=keys,
            last_event_id=last_event_id,
        )

    def of_socket(self, connection: HTTPConnection, payload: Mapping[str, Any]) -> Scope:
        """Tell who opened a socket, from its handshake and from `providerKeys` in the payload of `connection_init`.

        Raises:
            ClientError: as for a request.
        """
        scope = self.of_request(connection)
        given = payload.get("providerKeys")
        if given is None:
            return scope
        keys = read_keys(given, "providerKeys", self.providers)
        self._accept(keys, scope.client, by_token=scope.actor is not None)
        return replace(scope, keys=MappingProxyType({**scope.keys, **keys}))

    def admit(self, connection: HTTPConnection) -> str:
        """Count a request or a handshake, before anything else is looked at; returns its client.

        A wrong token counts against its address.

        Raises:
            RateLimited: the client has to wait first.
        """
        address = self.address_of(connection)
        values = connection.headers.getlist("authorization")
        token = self._identify(values)
        client = connection.scope[CLIENT] = self._client(token, address)
        try:
            self.limits.spend(client)
        except RateLimited:
            if values and token is None:
                self._note_rejection(address)
            raise
        return client

    def address_of(self, connection: HTTPConnection) -> str:
        """Name the client by its address: the peer's, or what trusted proxies say, read from the nearest one on."""
        peer = connection.client.host if connection.client else None
        forwarded = ",".join(connection.headers.getlist("x-forwarded-for")).rsplit(",", _MAX_HOPS)
        for hop in reversed(forwarded[-_MAX_HOPS:]):
            before = _hop_address(hop)
            if before is None or peer is None or not is_within(peer, self.proxies):
                break
            peer = str(before)
        return address_client(peer)

    def _client(self, token: Token | None, address: str) -> str:
        return f"token:{token.name}" if token and not self.limits.exempts(address) else address

    def _token(self, connection: HTTPConnection, address: str) -> Token | None:
        values = connection.headers.getlist("authorization")
        if not values:
            return None
        carry(value.partition(" ")[2].strip() or value for value in values)
        token = self._identify(values)
        if token is None:
            self._note_rejection(address)
            raise Unauthenticated(
                "The token is not valid here; send 'Authorization: Bearer <token>', or no such header."
            )
        return token

    def _identify(self, values: Sequence[str]) -> Token | None:
        return identify(values[0], self.tokens) if len(values) == 1 else None

    def _note_rejection(self, address: str) -> None:
        self.audit.note(actor=address, action=AUTHENTICATE, outcome="rejected")

    def _accept(self, keys: Mapping[str, SecretStr], client: str, *, by_token: bool) -> None:
        carry(key.get_secret_value() for key in keys.values())
        fingerprints = {provider_id: fingerprint(self.secret, provider_id, key) for provider_id, key in keys.items()}
        if not by_token and not self.limits.exempts(client):
            self.trials.admit(client, fingerprints)
        for provider_id, known_as in fingerprints.items():
            actor = f"{KEY_ACTOR}{known_as[:PREFIX]}"
            self.audit.note(actor=actor, action="useProviderKey", target=provider_id, outcome="ok")


def _last_event_id(connection: HTTPConnection) -> str | None:
    value = connection.headers.get("last-event-id")
    if value and (len(value) > _MAX_EVENT_ID or not value.isprintable()):
        raise BadUserInput("Last-Event-ID is not a cursor of this server; leave it out to begin anew.")
    return value or None


def _hop_address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address as proxies write it: bare, with a port, or in brackets."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    return read_address(host)
