"""Hostile requests by name: what scanners try, and what would cost a careless server seconds."""

import json
from dataclasses import dataclass, field
from typing import Any

from graphql import get_introspection_query

from tests.execution.test_documents import (
    chain,
    equal_fields,
    equal_trees,
    spreads,
    spreads_in_aliases,
    spreads_in_fields,
)

JSON = "application/json"
STRICT = {"Content-Type": JSON, "Accept": "application/graphql-response+json"}


@dataclass(frozen=True, slots=True)
class Attack:
    """One request; `status` is how it is turned away, or 200 where it is answered as any other."""

    status: int
    body: bytes | None = None
    code: str | None = None
    """The code of its first error."""
    method: str = "POST"
    url: str = "/graphql"
    headers: dict[str, str] = field(default_factory=lambda: STRICT)


def _query(text: str, status: int, code: str | None = None, **others: Any) -> Attack:
    return Attack(status, json.dumps({"query": text, **others}).encode(), code)


def _many(field_: str, count: int, status: int, code: str | None = None) -> Attack:
    return _query("{" + " ".join(field_.format(n) for n in range(count)) + "}", status, code)


def _get(query: str, status: int, method: str = "GET") -> Attack:
    return Attack(status, None, method=method, url=f"/graphql?{query}", headers={"Accept": STRICT["Accept"]})


def _with_header(name: str, value: str, status: int) -> Attack:
    return Attack(status, b'{"query": "{ __typename }"}', headers={**STRICT, name: value})


def _typed(content_type: str, body: bytes) -> Attack:
    return Attack(415, body, headers={**STRICT, "Content-Type": content_type})


def _renamed(text: str) -> str:
    """A shape over the small schema, over this one: its one model is a model that has another."""
    return text.replace("{ model {", '{ model(id: "openrouter/x") {', 1)


TOO_COMPLEX, INVALID, UNPARSABLE = "QUERY_TOO_COMPLEX", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"
BAD_INPUT = "BAD_USER_INPUT"
_FIELDS = """
id name description premium contextMax outputMax apiVersion status errorMessage lastChecked providerHealth lab
knowledgeCutoff openWeights releasedAt expiresAt firstSeenAt source sourceAsOf capabilities unknownCapabilities
inputModalities outputModalities vision
"""
_LEAVES = " ".join(f"l{n}: id" for n in range(100))
_DEEP_TYPE = "ofType { " * 40 + "name" + " }" * 40

ATTACKS: dict[str, Attack] = {
    "5 MB of tokens": Attack(413, b'{"query": "{' + b"a " * 2_500_000 + b'}"}'),
    "tokens up to the body's limit": _query("{" + "a " * 130_000 + "}", 400, UNPARSABLE),
    "one endless token": _query("{" + "a" * 260_000 + "}", 422, INVALID),
    "blanks and commas": _query("{ __typename" + " ," * 129_000 + "}", 200),
    "comments": _query("#\n" * 80_000 + "{ __typename }", 400, UNPARSABLE),
    "deep selections": _query("{ models " * 10_000 + "}" * 10_000, 400, UNPARSABLE),
    "selections as deep as tokens last": _query("{a" * 900 + "}" * 900, 400, UNPARSABLE),
    "deep lists": _query("{ models(provider: " + "[" * 900 + "]" * 900 + ") { id } }", 400, UNPARSABLE),
    "deep objects": _query("{ models(filter: " + "{a:" * 600 + "1" + "}" * 600 + ") { id } }", 400, UNPARSABLE),
    "deep types": _query("query($a: " + "[" * 900 + "Int" + "]" * 900 + ") { __typename }", 400, UNPARSABLE),
    "relation cycle": _query("{ models { provider { models { provider { models { id } } } } } }", 422, TOO_COMPLEX),
    "offers of offers": _query("{ models { offers { offers { offers { id } } } } }", 422, TOO_COMPLEX),
    "aliases": _query("{" + " ".join(f"a{n}: models {{ {_LEAVES} }}" for n in range(100)) + "}", 400, UNPARSABLE),
    "aliases within the tokens": _query(
        "{" + " ".join(f"a{n}: __typename" for n in range(600)) + "}", 422, TOO_COMPLEX
    ),
    "twenty full catalogues": _query("{" + " ".join(f"a{n}: models {{ id }}" for n in range(20)) + "}", 200),
    "searches that return nothing": _query(
        "{ models(limit: 1000) { provider { "
        + " ".join(
            f"a{n}: models(capability: [CHAT, VISION], status: [AVAILABLE], limit: 0) {{ id }}" for n in range(29)
        )
        + " } } }",
        422,
        TOO_COMPLEX,
    ),
    "as many searches as are allowed": _query(
        "{ models(limit: 32) { provider { "
        + " ".join(
            f"a{n}: models(capability: [CHAT, VISION], status: [AVAILABLE], limit: 0) {{ id }}" for n in range(29)
        )
        + " } } }",
        200,
    ),
    "twenty searches for fifty words": _query(
        "{"
        + " ".join(
            f'a{n}: modelsConnection(search: "{"a " * 50}", orderBy: {{field: NAME, direction: DESC}}, first: 0) '
            "{ totalCount }"
            for n in range(20)
        )
        + "}",
        294,
        BAD_INPUT,
    ),
    "twenty searches for ten words": _query(
        "{"
        + " ".join(
            f'a{n}: modelsConnection(search: "{"a e " * 5}", orderBy: {{field: NAME, direction: DESC}}, first: 100) '
            "{ nodes { id } }"
            for n in range(20)
        )
        + "}",
        200,
    ),
    "descriptions over and over": _query(
        "{"
        + " ".join(f"a{n}: models {{ ...D }}" for n in range(15))
        + "} fragment D on Model { "
        + " ".join(f"d{n}: description" for n in range(15))
        + " }",
        422,
        TOO_COMPLEX,
    ),
    "twenty dear catalogues": _query(
        "{" + " ".join(f"a{n}: models {{ {_FIELDS} }}" for n in range(20)) + "}", 422, TOO_COMPLEX
    ),
    "the dearest list that is answered": _query("{ models { " + _FIELDS + " } }", 200),
    "1,000 equal fields": _query("{ models(limit: 1) {" + " id" * 1_000 + "} }", 422, TOO_COMPLEX),
    "1,000 equal objects": _query(_renamed(equal_fields(400)), 422, TOO_COMPLEX),
    "equal trees": _query(_renamed(equal_trees(8)), 422, TOO_COMPLEX),
    "directives": _query("{ __typename" + " @skip(if: false)" * 250 + "}", 422, TOO_COMPLEX),
    "unknown directives": _query("{ __typename" + " @a" * 900 + "}", 422, TOO_COMPLEX),
    "circular fragments": _query("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", 422, INVALID),
    "a fragment in itself": _query("{ ...A } fragment A on Query { ...A ...A }", 422, INVALID),
    **{f"fragments nested {n} deep": _query(spreads(n), 422, TOO_COMPLEX) for n in (14, 20, 30, 60, 150)},
    "fragments nested in fields": _query(_renamed(spreads_in_fields(25)), 422, TOO_COMPLEX),
    "fragments nested in aliases": _query(_renamed(spreads_in_aliases(20)), 422, TOO_COMPLEX),
    "a chain of fragments": _query(_renamed(chain(150)), 422, TOO_COMPLEX),
    "300 operations": _query(" ".join(f"query Q{n} {{ __typename }}" for n in range(300)), 422, BAD_INPUT),
    "introspection in depth": _query(
        "{ __schema { types { fields { type { " + _DEEP_TYPE + " } } } } }", 422, TOO_COMPLEX
    ),
    "introspection in circles": _query(
        "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }", 422, INVALID
    ),
    "introspection nine times": _query(
        "{" + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(9)) + "}", 422, TOO_COMPLEX
    ),
    "the standard introspection": _query(get_introspection_query(), 200),
    "unknown fields in hundreds": _query("{" + " ".join(f"f{n}" for n in range(20)) + "}", 422, INVALID),
    "a pattern that never ends": _query('{ models(search: "((((a+)+)+)+)+$") { id } }', 200),
    "letters that grow": _query('{ models(search: "' + "ﷺ" * 200 + '") { id } }', 200),
    "a long search": _query('{ models(search: "' + "x" * 250_000 + '") { id } }', 294, BAD_INPUT),
    "a huge integer": _query("{ models(limit: " + "9" * 1_000 + ") { id } }", 422, INVALID),
    "lists of words over and over": _query(
        "{ models { " + " ".join(f"a{n}: unknownCapabilities" for n in range(29)) + " } }", 200
    ),
    "an integer that Python does not read": _query("{ models(limit: " + "9" * 5_000 + ") { id } }", 422, INVALID),
    "an integer past its type": _query("{ models(limit: 2147483648) { id } }", 422, INVALID),
    "a number past every float": Attack(400, b'{"query": "{ __typename }", "variables": {"a": 1e999}}'),
    "a negative size": _query("{ models(limit: -1) { id } }", 294, BAD_INPUT),
    "null bytes in a string": _query('{ models(search: "\\u0000\\u0000") { id } }', 200),
    "null bytes in the document": _query("{ __type\0name }", 400, UNPARSABLE),
    "null bytes in the body": Attack(400, b'{"query": "{ __typename }"}\0'),
    "half a surrogate": Attack(400, b'{"query": "{ models(search: \\"\\ud800\\") { id } }"}'),
    "half a surrogate in GraphQL": _query('{ models(search: "\\ud800") { id } }', 400, UNPARSABLE),
    "a byte order mark": Attack(400, b'\xef\xbb\xbf{"query": "{ __typename }"}'),
    "invalid UTF-8": Attack(400, b'{"query": "\xff\xfe"}'),
    "deep JSON": Attack(400, b"[" * 200_000),
    "a bomb of JSON": Attack(400, b'{"a":' * 40_000 + b"1" + b"}" * 40_000),
    "__proto__": Attack(200, b'{"query": "{ __typename }", "__proto__": {"admin": true}, "constructor": {"a": 1}}'),
    "__proto__ as a variable": _query(
        "query($a: ModelFilter) { models(filter: $a) { id } }", 422, BAD_INPUT, variables={"a": {"__proto__": {"x": 1}}}
    ),
    "__class__ as an argument": _query("{ models(__class__: 1) { __init__ } }", 422, INVALID),
    "15,000 variables": _query("{ __typename }", 422, TOO_COMPLEX, variables={f"v{n}": n for n in range(15_000)}),
    "a list of 30,000 ids": _query(
        "query($a: [ID!]) { models(provider: $a) { id } }", 422, TOO_COMPLEX, variables={"a": ["x" * 3] * 30_000}
    ),
    "a long operation name": _query("{ __typename }", 422, BAD_INPUT, operationName="x" * 200_000),
    "a batch": Attack(422, json.dumps([{"query": "{ __typename }"}] * 5_000).encode(), BAD_INPUT),
    "a mutation by GET": _get("query=mutation{refreshCatalogue{revision}}", 405),
    "a long URL": _get("query={__typename}&x=" + "a" * 40_000, 414),
    "a GET without a query": _get("", 422),
    "another method": _get("query={__typename}", 405, method="DELETE"),
    "a traced request": _get("query={__typename}", 405, method="TRACE"),
    "a form": _typed("application/x-www-form-urlencoded", b"query=mutation{refreshCatalogue{revision}}"),
    "a form with files": _typed("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data"),
    "plain text": _typed("text/plain", b'{"query": "{ __typename }"}'),
    "another charset": _typed("application/json; charset=utf-7", b'{"query": "{ __typename }"}'),
    "a packed body": Attack(400, b"\x1f\x8b" + b"\0" * 100, headers={**STRICT, "Content-Encoding": "gzip"}),
    "twenty refreshes": _query(
        "mutation {" + " ".join(f"a{n}: refreshCatalogue {{ revision }}" for n in range(20)) + "}",
        294,
        "UNAUTHENTICATED",
    ),
    "a hash that is not the text's": _query(
        "{ __typename }", 422, BAD_INPUT, extensions={"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
    ),
    "keys of every kind": _with_header("X-Provider-Keys", "[" * 6_000, 400),
    "a long token": _with_header("Authorization", "Bearer " + "x" * 7_000, 401),
    "a thousand hops": _with_header("X-Forwarded-For", "1.2.3.4, " * 800, 200),
    "a thousand types": _with_header("Accept", "a/b;q=0.1, " * 700, 406),
    "a cursor of one's own": _with_header("Last-Event-ID", "x" * 7_000, 400),
}
