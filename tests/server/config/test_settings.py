"""Configuration: what is read, which layer wins, and that a fault is one line that names place, key and remedy.

It is long because every source, layer and kind of fault has its own sentence.
"""

import errno
from ipaddress import ip_network
from pathlib import Path
from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs

from catalogue.guard import GuardLimits
from catalogue.scope import Grant
from catalogue.vocabulary import KeySource
from execution.limits import DocumentLimits
from providers._kit.registry import adapters
from server.config.configuration import VARIABLES, ConfigurationError, load_settings, located
from server.config.generated_secrets import admin_tokens, hashing_secret
from server.config.limits import Limits
from server.config.settings import Settings
from server.config.tokens import identify
from server.config.upstreams import upstreams, warn_of_unset_keys
from tests.practice.only import only_named


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "catalogue.toml"
    path.write_text(text, "utf-8")
    return path


def _fault(tmp_path: Path, text: str = "", env: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(env or {}, config=_file(tmp_path, text))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_without_anything_the_defaults_of_the_contract_hold() -> None:
    settings = load_settings({})
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert (settings.model_list_ttl, settings.model_details_ttl, settings.provider_health_ttl) == (600, 3600, 30)
    assert settings.key_wait_seconds == 2.0
    assert settings.audit_retention_days == 90
    assert (settings.introspection, settings.suggestions, settings.graphiql) == (True, False, False)
    guard = GuardLimits()
    assert (settings.guard_removed_share, settings.guard_repriced_share) == (guard.removed_share, guard.repriced_share)


def test_the_settings_block_and_the_executor_agree_on_the_limits() -> None:
    assert Limits().document(introspection=True, suggestions=False) == DocumentLimits()


def test_the_environment_wins_over_the_file_and_options_over_both(tmp_path: Path) -> None:
    path = _file(tmp_path, 'host = "localhost"\nport = 1000\nmodel_list_ttl = 60\n[limits]\ndepth = 5')
    env = {"CATALOGUE_PORT": "2000", "CATALOGUE_LIMITS_DEPTH": "7"}
    settings = load_settings(env, config=path, options={"port": 3000})
    assert (settings.host, settings.port, settings.model_list_ttl, settings.limits.depth) == ("localhost", 3000, 60, 7)


def test_lists_are_written_with_commas_in_the_environment() -> None:
    settings = load_settings(
        {
            "CATALOGUE_CORS_ORIGINS": "https://a.example, https://B.example:8443",
            "CATALOGUE_TRUSTED_PROXIES": "10.0.0.0/8,::1",
        }
    )
    assert settings.cors_origins == ("https://a.example", "https://b.example:8443")
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))


def test_an_empty_variable_is_an_unset_one() -> None:
    assert load_settings({"CATALOGUE_PORT": "", "CATALOGUE_CORS_ORIGINS": ""}) == load_settings({})


def test_other_variables_are_left_alone() -> None:
    assert load_settings({"CATALOGUE_TOKEN": "x", "OPENROUTER_API_KEY": "y", "PORT": "z"}) == load_settings({})


def test_a_user_without_a_home_needs_none_where_a_data_folder_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homeless = Mock(side_effect=RuntimeError("Could not determine home directory."))
    monkeypatch.setattr("server.config.settings.user_data_path", homeless)
    assert load_settings({"CATALOGUE_DATA_DIR": str(tmp_path)}).data_dir == tmp_path
    assert not load_settings({}).data_dir.exists()


def test_every_setting_but_the_tables_has_a_variable() -> None:
    expected = set(Settings.model_fields) - {"limits", "providers", "migrations"} | set(Limits.model_fields)
    assert {path[-1] for path in VARIABLES.values()} == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", ["prot", "did you mean port?"]),
        ("[limits]\ndpth = 1", ["limits.dpth", "did you mean depth?"]),
        ('[providers.x]\nbase_ulr = "http://x"', ["providers.x.base_ulr", "did you mean base_url?"]),
        ("zzz = 1", ["zzz", "choose one of", "model_list_ttl"]),
        ('port = "80"', ["port", "valid integer", "default: 8000"]),
        ("port = true", ["port", "valid integer"]),
        ("port = 70000", ["port", "65535"]),
        ("limits = 3", ["limits", "table"]),
        ("model_list_ttl = inf", ["model_list_ttl", "finite"]),
        ("model_list_ttl = 0", ["model_list_ttl", "greater than 0"]),
        ('[providers.X]\nname = "x"', ["providers.X", "short name"]),
        ('[providers.x]\nbase_url = "ftp://x"', ["providers.x.base_url", "http"]),
        ('cors_origins = ["https://a.example/path"]', ["cors_origins", "without a path"]),
        ('trusted_proxies = ["somewhere"]', ["trusted_proxies", "10.0.0.0/8"]),
        ("port = ", ["not valid TOML"]),
        ("a = 1\nb = \x01", ["not valid TOML", "line 2"]),
        ('host = "999.1.1.1"', ["host", "IP address"]),
        ('host = "[::1]"', ["host", "::1"]),
        ('admin_tokens = ["me:fifteen-letters"]', ["admin_tokens", "'me'", "16"]),
        ('[providers.x]\nbase_url = "http://x/v1?key=SECRET"', ["providers.x.base_url", "api_key_env"]),
        ('[providers.x]\nbase_url = "http://x/v1?a=1&X-Access-Token"', ["providers.x.base_url", "api_key_env"]),
        ('[providers.openrouter]\napi_key = "sk-1"', ["environment", "api_key_env", "OPENROUTER_API_KEY"]),
        ('[providers.my-gateway]\ntoken = "sk-1"', ["environment", "api_key_env", "MY_GATEWAY_API_KEY"]),
    ],
)
def test_a_fault_in_the_file_names_the_file_the_key_and_the_remedy(tmp_path: Path, text: str, words: list[str]) -> None:
    message = _fault(tmp_path, text)
    assert message.startswith(str(tmp_path / "catalogue.toml"))
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CATALOGUE_PORT", "eight", ["valid integer", "8000"]),
        ("CATALOGUE_PRT", "1", ["unknown", "CATALOGUE_PORT"]),
        ("CATALOGUE_LIMITS_DEPHT", "1", ["unknown", "CATALOGUE_LIMITS_DEPTH"]),
        ("CATALOGUE_LIMITS_COST", "-1", ["greater than 0"]),
        ("CATALOGUE_LOG_FORMAT", "xml", ["'json'"]),
        ("CATALOGUE_ADMIN_TOKENS", "justone", ["name:token"]),
        ("CATALOGUE_ADMIN_TOKENS", "ops:fly:abc", ["ops", "read, refresh, admin"]),
        ("CATALOGUE_ADMIN_TOKENS", "ops:sha256$12", ["ops", "64 hex digits"]),
    ],
)
def test_a_fault_in_the_environment_names_the_variable(tmp_path: Path, name: str, value: str, words: list[str]) -> None:
    message = _fault(tmp_path, env={name: value})
    assert message.startswith(f"{name}: ")
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("text", "env"),
    [
        ("", {"CATALOGUE_SECRET": "hunter2"}),
        ("", {"CATALOGUE_ADMIN_TOKENS": "ops:fly:hunter2"}),
        ("", {"CATALOGUE_ADMIN_TOKENS": "hunter2"}),
        ('[providers.x]\nbase_url = "https://user:hunter2@x"', {}),
        ('[providers.x.headers]\n"X-Key" = "hunter2\\n"', {}),
        ('secret = ["hunter2hunter2hunter2"]', {}),
        ('admin_tokens = ["me:hunter2"]', {}),
        ('[providers.x]\nbase_url = "https://x?token=hunter2"', {}),
        ('[providers.x]\napi_key = "hunter2"', {}),
    ],
)
def test_no_fault_repeats_a_secret(tmp_path: Path, text: str, env: dict[str, str]) -> None:
    assert "hunter2" not in _fault(tmp_path, text, env)


def test_a_file_that_is_not_there_is_named_with_the_variable_to_mend(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    with pytest.raises(ConfigurationError, match=r"missing\.toml: cannot be read .* CATALOGUE_CONFIG"):
        load_settings({}, config=missing)


def test_secrets_do_not_show_in_the_settings(tmp_path: Path) -> None:
    path = _file(tmp_path, '[providers.x]\nadapter = "a"\n[providers.x.headers]\nX-Key = "hunter2"')
    env = {"CATALOGUE_SECRET": "hunter2hunter2hunter2", "CATALOGUE_ADMIN_TOKENS": "ops:hunter2-token-16"}
    settings = load_settings(env, config=path)
    assert "hunter2" not in repr(settings)
    shown = {secret.get_secret_value() for secret in settings.secrets()}
    assert shown == {"hunter2", "hunter2hunter2hunter2", "hunter2-token-16"}


def test_the_secret_and_the_admin_token_are_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    settings = load_settings({"CATALOGUE_DATA_DIR": str(tmp_path / "new" / "data")})
    secret, (token,) = hashing_secret(settings), admin_tokens(settings)
    assert hashing_secret(settings) == secret
    assert admin_tokens(settings) == (token,)
    for name in ("secret", "admin-token"):
        assert (settings.data_dir / name).stat().st_mode & 0o777 == 0o600
    written = (settings.data_dir / "admin-token").read_text()
    assert identify(f"Bearer {written}", (token,)) == token
    assert token.grants == {Grant.ADMIN}


def test_a_kept_secret_that_others_may_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x" * 40)
    (tmp_path / "secret").chmod(0o644)
    assert hashing_secret(load_settings({"CATALOGUE_DATA_DIR": str(tmp_path)})).get_secret_value() == "x" * 40
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_secret_that_a_full_disk_cuts_off_does_not_stop_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings({"CATALOGUE_DATA_DIR": str(tmp_path)})
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", Mock(side_effect=OSError(errno.ENOSPC, "No space left on device")))
        with pytest.raises(ConfigurationError, match="No space left"):
            hashing_secret(settings)
    assert hashing_secret(settings)


@pytest.mark.parametrize("content", ["", "short", "ü" * 40])
def test_a_kept_secret_that_cannot_be_used_stops_the_start(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_text(content)
    with pytest.raises(ConfigurationError, match=r"/secret: "):
        hashing_secret(load_settings({"CATALOGUE_DATA_DIR": str(tmp_path)}))


def test_every_adapter_with_an_address_is_a_provider_under_its_usual_key() -> None:
    found = {upstream.id: upstream for upstream in upstreams(load_settings({}), {"OPENROUTER_API_KEY": " sk-or-1 "})}
    assert set(found) == {id_ for id_, adapter in adapters().items() if adapter.base_url}
    openrouter = found["openrouter"]
    assert openrouter.key is not None
    assert (openrouter.key.get_secret_value(), openrouter.key_source) == ("sk-or-1", KeySource.ENVIRONMENT)
    assert found["requesty"].key_source is KeySource.NONE


def test_a_table_overlays_the_adapter(tmp_path: Path) -> None:
    text = """
        [providers.openrouter]
        base_url = "http://127.0.0.1:9/v1/"
        requests_per_minute = 5
        api_key_env = "OTHER"
        headers = { X-Title = "t" }
        [providers.requesty]
        enabled = false
        [providers.my-gateway]
        adapter = "openai-compatible"
        name = "My gateway"
        base_url = "http://127.0.0.1:4000/v1"
        api_key_env = "MY_KEY"
        timeout = 3
        poll = false
    """
    env = {"OPENROUTER_API_KEY": "usual", "OTHER": "other", "MY_KEY": "mine", "OPENAI_API_KEY": "foreign"}
    gateway, openrouter = upstreams(load_settings({}, config=_file(tmp_path, only_named(text))), env)
    assert (gateway.id, gateway.name, gateway.poll, gateway.calls.timeout) == ("my-gateway", "My gateway", False, 3.0)
    assert gateway.key is not None
    assert gateway.key.get_secret_value() == "mine"
    assert openrouter.key is not None
    assert openrouter.key.get_secret_value() == "other"
    assert openrouter.base_url == "http://127.0.0.1:9/v1"
    assert openrouter.calls.requests_per_minute == 5
    assert openrouter.calls.burst == adapters()["openrouter"].calls.burst


def test_a_provider_that_borrows_an_adapter_does_not_get_that_ones_key(tmp_path: Path) -> None:
    text = '[providers.other]\nadapter = "openrouter"\nbase_url = "http://127.0.0.1:9"'
    found = upstreams(load_settings({}, config=_file(tmp_path, text)), {"OPENROUTER_API_KEY": "sk-or-1"})
    assert {upstream.id: upstream.key for upstream in found}["other"] is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[providers.x]\nadapter = "opnrouter"', ["providers.x", "opnrouter", "openai-compatible, "]),
        ("[providers.x]\npoll = false", ["providers.x", "adapter is missing", "openrouter"]),
        ('[providers.x]\nadapter = "openai-compatible"', ["providers.x.base_url", "missing"]),
    ],
)
def test_a_provider_that_cannot_be_composed_is_named_with_the_remedy(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        upstreams(load_settings({}, config=_file(tmp_path, text)), {})
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    ("text", "env", "options", "told"),
    [
        ('data_dir = "/x"', {}, {}, "{file}: data_dir: in use."),
        ('data_dir = "/x"', {"CATALOGUE_DATA_DIR": "/y"}, {}, "data_dir: in use. It is set by CATALOGUE_DATA_DIR."),
        (
            'data_dir = "/x"',
            {"CATALOGUE_DATA_DIR": "/y"},
            {"data_dir": "/z"},
            "data_dir: in use. It is set by --data-dir.",
        ),
        ("port = 1", {}, {}, "data_dir: in use. Its variable is CATALOGUE_DATA_DIR."),
    ],
)
def test_a_fault_found_later_names_the_place_where_the_setting_was_set(
    tmp_path: Path, text: str, env: dict[str, str], options: dict[str, object], told: str
) -> None:
    path = _file(tmp_path, text)
    error = located(ConfigurationError("data_dir: in use."), env, config=path, options=options)
    assert str(error) == told.format(file=path)


def test_a_provider_that_cannot_be_composed_is_told_with_its_file(tmp_path: Path) -> None:
    path = _file(tmp_path, "[providers.x]\npoll = false")
    error = located(ConfigurationError("providers.x: needs an adapter."), {}, config=path)
    assert str(error) == f"{path}: providers.x: needs an adapter."


def test_what_names_its_place_already_is_left_as_it_is() -> None:
    error = ConfigurationError("OPENROUTER_API_KEY: set it anew.")
    assert located(error, {}) is error


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "localhost", "a-host.example.com", "node-1"])  # noqa: S104 - read, not bound
def test_an_address_or_a_name_is_a_host(host: str) -> None:
    assert load_settings({"CATALOGUE_HOST": host}).host == host


def test_a_query_without_a_key_may_stand_in_an_address(tmp_path: Path) -> None:
    text = '[providers.x]\nbase_url = "http://x/v1?api-version=3&keyword=a&max_tokens=1"'
    assert load_settings({}, config=_file(tmp_path, text)).providers["x"].base_url is not None


@pytest.mark.parametrize("env", [{}, {"MY_KEY": ""}, {"MY_KEY": " "}])
def test_a_variable_of_a_key_that_is_not_set_is_warned_of_by_name(tmp_path: Path, env: dict[str, str]) -> None:
    text = '[providers.x]\nadapter = "openai-compatible"\nbase_url = "http://x"\napi_key_env = "MY_KEY"'
    settings = load_settings({}, config=_file(tmp_path, text))
    with capture_logs() as logged:
        warn_of_unset_keys(settings, env)
        warn_of_unset_keys(settings, {"MY_KEY": "sk-1"})
    assert logged == [{"log_level": "warning", "event": "key_variable_not_set", "provider": "x", "variable": "MY_KEY"}]


def test_a_key_that_no_header_may_carry_is_refused_by_its_variable() -> None:
    with pytest.raises(ConfigurationError, match="OPENROUTER_API_KEY") as caught:
        upstreams(load_settings({}), {"OPENROUTER_API_KEY": "hunter2\nx"})
    assert "hunter2" not in str(caught.value)
