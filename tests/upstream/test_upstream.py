"""A configured provider knows its URLs, its headers and how it shows in the catalogue."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from catalogue.vocabulary import KeySource
from providers._kit.adapter import Adapter
from providers._kit.registry import adapters
from upstream.upstream import Upstream, join_url

KEY = SecretStr("sk-made-up")


def upstream(adapter_id: str = "openrouter", **changes: object) -> Upstream:
    adapter = adapters()[adapter_id]
    base_url = adapter.base_url or "http://127.0.0.1:1/v1"
    values = {"id": adapter_id, "name": adapter.name, "adapter": adapter, "base_url": base_url}
    return Upstream(**(values | changes))  # type: ignore[arg-type]  # a test's own keywords


@pytest.mark.parametrize(
    ("base", "path", "whole"),
    [
        ("https://a.test/v1", "/models", "https://a.test/v1/models"),
        ("https://a.test/v1/", "models", "https://a.test/v1/models"),
        ("https://a.test", "/models", "https://a.test/models"),
        ("http://a.test:4000/proxy/v1", "/models?x=1", "http://a.test:4000/proxy/v1/models?x=1"),
        ("https://a.test/v1?api-version=2", "/models?x=1", "https://a.test/v1/models?api-version=2&x=1"),
        ("https://a.test/v1", "https://b.test/check", "https://b.test/check"),
    ],
)
def test_a_path_goes_below_the_base_url(base: str, path: str, whole: str) -> None:
    assert join_url(base, path) == whole


def test_the_configured_health_url_goes_before_the_adapters_key_check() -> None:
    assert upstream("requesty").check_url() == "https://api-v2.requesty.ai/v1/auth/check"
    assert upstream("requesty", health_url="https://a.test/ok").check_url() == "https://a.test/ok"
    assert upstream("openai-compatible").check_url() is None


def test_a_key_for_another_base_url_is_not_sent_to_the_adapters_host() -> None:
    assert upstream("requesty", base_url="http://127.0.0.1:1/v1").check_url() is None
    assert upstream(base_url="http://127.0.0.1:1/v1").check_url() == "http://127.0.0.1:1/v1/key"


def test_endpoints_are_asked_by_the_providers_own_model_id() -> None:
    base = "https://openrouter.ai/api/v1/models"
    assert upstream().endpoints_url("~acme/new:free") == f"{base}/~acme/new:free/endpoints"
    assert upstream().endpoints_url("acme/../x?y#z") == f"{base}/acme/../x%3Fy%23z/endpoints"
    assert upstream("requesty").endpoints_url("acme/new") is None


def test_the_key_is_sent_only_when_given_and_shown_nowhere() -> None:
    configured = upstream(key=KEY, headers={"X-Title": "Mine"})
    assert configured.request_headers(None) == {"X-Title": "Mine"}
    assert configured.request_headers(KEY) == {"X-Title": "Mine", "Authorization": "Bearer sk-made-up"}
    assert "sk-made-up" not in repr(configured)


def test_a_provider_that_needs_a_key_is_not_configured_without_one() -> None:
    locked = upstream(adapter=Adapter(id="locked", name="Locked", needs_key=True, read=lambda _: None))
    assert upstream().configured
    assert not locked.configured
    profile = upstream(key=KEY, key_source=KeySource.ENVIRONMENT).profile(timedelta(seconds=60))
    assert (profile.name, profile.website, profile.configured) == ("OpenRouter", "https://openrouter.ai", True)
    assert (profile.key_source, profile.list_ttl) == (KeySource.ENVIRONMENT, timedelta(seconds=60))


@pytest.mark.parametrize("poll", [True, False])
def test_a_profile_says_whether_a_provider_is_polled(poll: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert upstream(poll=poll).profile(timedelta(seconds=600)).polled is poll
