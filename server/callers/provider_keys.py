"""A caller's own provider keys, read strictly; no error message repeats a key."""

import json
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

import orjson
from pydantic import SecretStr

from catalogue.errors import BadUserInput, UnknownProvider

HEADER = "X-Provider-Keys"
MAX_HEADER = 8_192
MAX_KEYS = 20
_KEY = re.compile(r"[!-~]{8,512}")
_LONGEST_NAME = 24
_EXAMPLE = '{"openrouter": "<your key>"}'


def keys_from_header(values: Collection[str], known: Collection[str]) -> Mapping[str, SecretStr]:
    """The keys in `X-Provider-Keys`, given as all its values; none when it is absent.

    Raises:
        BadUserInput: the value is not such an object, or a key is malformed.
    """
    if not values:
        return MappingProxyType({})
    if len(values) > 1 or sum(map(len, values)) > MAX_HEADER:
        raise BadUserInput(f"{HEADER} must come once and have at most {MAX_HEADER} characters.")
    text = next(iter(values))
    try:
        decoded = orjson.loads(text.encode("utf-8", "surrogatepass")) if names_each_once(text) else None
    except ValueError:
        decoded = None
    if decoded is None:
        raise BadUserInput(f"{HEADER} must be a JSON object with each name once, such as {_EXAMPLE}.")
    return read_keys(decoded, HEADER, known)


def names_each_once(text: str) -> bool:
    """Whether no object of a JSON text repeats a name; readers differ in which of the two they take."""
    try:
        json.loads(text, object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        return False
    return True


def _once_each(pairs: Collection[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name comes twice")


def read_keys(value: object, place: str, known: Collection[str]) -> Mapping[str, SecretStr]:
    """The keys in a decoded object of provider ids and keys; `place` names it in messages.

    Raises:
        BadUserInput: the value is not such an object, or a key is malformed.
    """
    if not isinstance(value, dict) or len(value) > MAX_KEYS:
        raise BadUserInput(
            f"{place} must be an object of at most {MAX_KEYS} provider ids and keys, such as {_EXAMPLE}."
        )
    for provider_id, key in value.items():
        if provider_id not in known:
            # A longer name may be a key in the wrong place.
            shown = provider_id if len(provider_id) <= _LONGEST_NAME and provider_id.isprintable() else "(not shown)"
            raise UnknownProvider(shown, known)
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise BadUserInput(
                f"The key for {provider_id} in {place} must be a string of 8 to 512 visible ASCII characters.",
                provider=provider_id,
            )
    return MappingProxyType({provider_id: SecretStr(key) for provider_id, key in value.items()})
