"""Who calls: identity, rights and keys from headers and from connection_init, read strictly and never repeated."""

import json
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from catalogue.errors import BadUserInput, ClientError, RateLimited, Unauthenticated, UnknownProvider
from catalogue.fingerprint import fingerprint
from catalogue.scope import Grant
from server.callers.caller import Callers
from server.callers.client_limits import ClientLimits
from server.callers.key_trials import MOST_KEYS
from server.callers.provider_keys import keys_from_header
from server.config.limits import Limits
from server.config.tokens import read_token
from tests.server.asked import Notes, connection

KNOWN = frozenset({"openrouter", "requesty"})
SECRET = SecretStr("s" * 32)
KEY = "canary-0123456789"


def _callers(
    notes: Notes | None = None, proxies: tuple[str, ...] = (), *, exempt_loopback: bool = False, burst: int = 50
) -> Callers:
    return Callers(
        tokens=(read_token("ops:refresh:s3cret-0123456789"),),
        providers=KNOWN,
        proxies=tuple(ip_network(proxy) for proxy in proxies),
        limits=ClientLimits(Limits(burst=burst), exempt_loopback=exempt_loopback, clock=lambda: 0.0),
        secret=SECRET,
        audit=notes or Notes(),
    )


def test_a_stranger_is_known_by_the_address_and_may_nothing() -> None:
    scope = _callers().of_request(connection())
    assert (scope.client, scope.actor, scope.grants, dict(scope.keys)) == ("address:192.0.2.1", None, frozenset(), {})


@pytest.mark.parametrize(
    ("header", "client"),
    [
        ((), "address:192.0.2.1"),
        (("Authorization", "Bearer wrong"), "address:192.0.2.1"),
        (("Authorization", "Bearer s3cret-0123456789"), "token:ops"),
    ],
)
def test_a_request_counts_against_the_address_or_the_right_token(header: tuple[str, str], client: str) -> None:
    asked = connection(*([header] if header else []))
    callers = _callers()
    caller = callers.caller_of(asked)
    callers.admit(caller)
    assert caller.client == client
    quota = callers.limits.quota(client)
    assert quota is not None
    assert quota.remaining == quota.limit - 1


def test_a_token_names_its_holder_and_grants_its_scopes() -> None:
    scope = _callers().of_request(connection(("Authorization", "Bearer s3cret-0123456789")))
    assert (scope.client, scope.actor, scope.grants) == ("token:ops", "ops", frozenset({Grant.REFRESH}))


def test_a_token_on_this_machine_stays_exempt_from_limits() -> None:
    scope = _callers(exempt_loopback=True).of_request(
        connection(("Authorization", "Bearer s3cret-0123456789"), peer="127.0.0.1")
    )
    assert (scope.client, scope.actor) == ("address:127.0.0.1", "ops")


@pytest.mark.parametrize("value", ["Bearer wrong", "Basic s3cret-0123456789", "", "Bearer"])
def test_a_wrong_token_is_refused_and_audited_without_it(value: str) -> None:
    notes = Notes()
    with pytest.raises(Unauthenticated) as refused:
        _callers(notes).of_request(connection(("Authorization", value)))
    assert "wrong" not in refused.value.message
    assert notes.taken == [("address:192.0.2.1", "authenticate", None, "rejected")]


def test_two_tokens_at_once_are_refused() -> None:
    with pytest.raises(Unauthenticated):
        _callers().of_request(
            connection(("Authorization", "Bearer s3cret-0123456789"), ("Authorization", "Bearer s3cret-0123456789"))
        )


def test_guessing_tokens_spends_the_rate_of_the_address() -> None:
    notes = Notes()
    callers = _callers(notes, burst=2)
    for _ in range(2):
        callers.admit(callers.caller_of(connection(("Authorization", "Bearer guess"))))
        with pytest.raises(Unauthenticated):
            callers.of_request(connection(("Authorization", "Bearer guess")))
    with pytest.raises(RateLimited):
        callers.admit(callers.caller_of(connection(("Authorization", "Bearer guess"))))
    assert notes.taken == [("address:192.0.2.1", "authenticate", None, "rejected")] * 3


def test_keys_of_a_request_that_is_not_admitted_are_not_noted() -> None:
    notes = Notes()
    callers = _callers(notes, burst=1)
    asked = connection(("X-Provider-Keys", json.dumps({"openrouter": KEY})))
    callers.admit(callers.caller_of(asked))
    with pytest.raises(RateLimited):
        callers.admit(callers.caller_of(asked))
    assert notes.taken == []


def test_keys_come_by_header_and_their_use_is_audited_by_fingerprint() -> None:
    notes = Notes()
    scope = _callers(notes).of_request(connection(("X-Provider-Keys", json.dumps({"openrouter": KEY}))))
    assert scope.keys["openrouter"].get_secret_value() == KEY
    prefix = fingerprint(SECRET, "openrouter", SecretStr(KEY))[:12]
    assert notes.taken == [(f"key:{prefix}", "useProviderKey", "openrouter", "ok")]
    assert KEY not in repr(scope) + repr(notes.taken)


def test_trying_keys_is_cut_off_however_they_come() -> None:
    notes = Notes()
    callers = _callers(notes)
    for number in range(MOST_KEYS):
        callers.of_request(connection(("X-Provider-Keys", json.dumps({"openrouter": f"made-up-{number}"}))))
    with pytest.raises(RateLimited):
        callers.of_request(connection(("X-Provider-Keys", json.dumps({"openrouter": KEY}))))
    with pytest.raises(RateLimited):
        callers.of_socket(connection(), {"providerKeys": {"openrouter": KEY}})
    assert len(notes.taken) == MOST_KEYS
    assert callers.of_request(connection(("X-Provider-Keys", '{"openrouter": "made-up-0"}'), peer="192.0.2.2")).keys


@pytest.mark.parametrize(
    ("header", "peer"), [(("Authorization", "Bearer s3cret-0123456789"), "192.0.2.1"), (("Accept", "*/*"), "127.0.0.1")]
)
def test_who_holds_a_token_or_is_exempt_may_bring_the_keys_of_many(header: tuple[str, str], peer: str) -> None:
    callers = _callers(exempt_loopback=True)
    for number in range(MOST_KEYS * 2):
        keys = ("X-Provider-Keys", json.dumps({"openrouter": f"a-users-{number}"}))
        assert callers.of_request(connection(header, keys, peer=peer)).keys


def test_keys_come_by_connection_init_and_win_over_the_header() -> None:
    asked = connection(("X-Provider-Keys", json.dumps({"openrouter": KEY, "requesty": KEY})))
    scope = _callers().of_socket(asked, {"providerKeys": {"openrouter": "another-key"}})
    assert {name: key.get_secret_value() for name, key in scope.keys.items()} == {
        "openrouter": "another-key",
        "requesty": KEY,
    }


@pytest.mark.parametrize("payload", [{}, {"providerKeys": None}, {"other": 1}])
def test_a_socket_needs_no_keys(payload: dict[str, object]) -> None:
    assert not _callers().of_socket(connection(), payload).keys


@pytest.mark.parametrize(
    "given_", ["x", 7, [], [["openrouter", KEY]], {"openrouter": 7}, {"openrouter": None}, {"openrouter": {"k": KEY}}]
)
def test_keys_of_the_wrong_shape_close_a_socket(given_: object) -> None:
    with pytest.raises(BadUserInput, match="providerKeys"):
        _callers().of_socket(connection(), {"providerKeys": given_})


@pytest.mark.parametrize(
    "key", ["short", "x" * 513, "has space in", "tab\tinside", "line\ninside", "nul\0inside", "ünicode-key", ""]
)
def test_what_cannot_be_a_key_is_refused_by_its_provider_alone(key: str) -> None:
    with pytest.raises(BadUserInput, match="openrouter") as refused:
        _callers().of_request(connection(("X-Provider-Keys", json.dumps({"openrouter": key}))))
    assert not key or key not in refused.value.message


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "[]",
        "null",
        '"k"',
        "{",
        "[" * 8_000,
        '{"openrouter": "' + "x" * 9_000 + '"}',
        '{"openrouter": NaN}',
        '{"openrouter": "one-0123456789", "openrouter": "two-0123456789"}',
        '{"openrouter": "one-0123456789", "openrouter\\u0000": 1, "open\\u0072outer": "two-0123456789"}',
        '{"openrouter": ' + "[" * 1_000 + "]" * 1_000 + ', "openrouter": "two-0123456789"}',
        '"\\ud800"',
    ],
)
def test_a_header_that_is_no_such_object_is_refused(value: str) -> None:
    with pytest.raises(BadUserInput, match="X-Provider-Keys"):
        _callers().of_request(connection(("X-Provider-Keys", value)))


def test_more_keys_than_there_may_be_are_refused() -> None:
    many = json.dumps({f"p{number}": KEY for number in range(21)})
    with pytest.raises(BadUserInput, match="at most 20"):
        _callers().of_request(connection(("X-Provider-Keys", many)))


def test_an_unknown_provider_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownProvider, match=r"'opnrouter'.*openrouter, requesty"):
        _callers().of_request(connection(("X-Provider-Keys", json.dumps({"opnrouter": KEY}))))


def test_a_key_in_the_place_of_a_provider_is_not_repeated() -> None:
    with pytest.raises(UnknownProvider) as refused:
        _callers().of_request(connection(("X-Provider-Keys", json.dumps({"sk-or-v1-0123456789abcdef": "openrouter"}))))
    assert "0123456789" not in refused.value.message


@given(st.lists(st.text(), max_size=2))
def test_any_header_gives_keys_or_a_client_error(values: list[str]) -> None:
    try:
        keys = keys_from_header(values, KNOWN)
    except ClientError:
        return
    assert set(keys) <= KNOWN


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(sorted(KNOWN)), inner),
    )
)
def test_any_json_in_the_header_gives_keys_or_a_client_error(value: object) -> None:
    try:
        keys = keys_from_header([json.dumps(value)], KNOWN)
    except ClientError:
        return
    assert set(keys) <= KNOWN


@given(
    st.dictionaries(
        st.sampled_from(["authorization", "x-provider-keys", "x-forwarded-for", "last-event-id"]), st.text()
    )
)
def test_any_headers_give_a_caller_or_a_client_error(headers: dict[str, str]) -> None:
    try:
        scope = _callers(proxies=("192.0.2.0/24",)).of_request(connection(*headers.items()))
    except ClientError:
        return
    assert scope.client.startswith("address:")


def test_a_stream_resumes_after_the_event_it_names() -> None:
    assert _callers().of_request(connection(("Last-Event-ID", "e1-42"))).last_event_id == "e1-42"
    with pytest.raises(BadUserInput, match="Last-Event-ID"):
        _callers().of_request(connection(("Last-Event-ID", "x" * 300)))


@pytest.mark.parametrize(
    ("forwarded", "peer", "client"),
    [
        ("198.51.100.7", "192.0.2.1", "address:192.0.2.1"),
        ("198.51.100.7", "10.0.0.1", "address:198.51.100.7"),
        ("6.6.6.6, 198.51.100.7", "10.0.0.1", "address:198.51.100.7"),
        ("198.51.100.7, 10.0.0.2", "10.0.0.1", "address:198.51.100.7"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.1", "address:10.0.0.3"),
        ("198.51.100.7:1234", "10.0.0.1", "address:198.51.100.7"),
        ("[2001:db8::1]:1234", "10.0.0.1", "address:2001:db8::/64"),
        ("2001:db8::1", "::ffff:10.0.0.1", "address:2001:db8::/64"),
        ("6.6.6.6, nonsense, 10.0.0.2", "10.0.0.1", "address:10.0.0.2"),
        ("", "10.0.0.1", "address:10.0.0.1"),
    ],
)
def test_forwarded_addresses_are_believed_from_trusted_proxies_alone(forwarded: str, peer: str, client: str) -> None:
    callers = _callers(proxies=("10.0.0.0/8",))
    assert callers.caller_of(connection(("X-Forwarded-For", forwarded), peer=peer)).address == client


def test_a_fingerprint_needs_the_secret_and_tells_providers_apart() -> None:
    key = SecretStr(KEY)
    prints = {fingerprint(SECRET, "a", key), fingerprint(SECRET, "b", key), fingerprint(SecretStr("t" * 32), "a", key)}
    assert len(prints) == 3
    assert fingerprint(SECRET, "a", key) in prints
