"""The schema keeps the contract."""

from collections.abc import Container, Iterator
from pathlib import Path

import pytest
from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InputValueDefinitionNode,
    build_schema,
    parse,
    print_ast,
)

from tests.generate import SDL, sdl

CONTRACT = Path(__file__).parents[2] / "../shared/api.graphql"
BUILT_IN = ("__", "String", "Boolean", "Int", "Float", "ID")

CHANGES = """
type ModelAdded { model: Model! } type ModelRemoved { model: Model! } type ExpiryWithdrawn { model: Model! }
type StatusChanged { model: Model! before: ModelStatus! after: ModelStatus! cause: StatusCause! }
type PriceChanged { model: Model! before: Pricing after: Pricing }
type DetailsChanged { model: Model! fields: [String!]! } type ExpiryAnnounced { model: Model! expiresAt: DateTime! }
type ProviderHealthChanged { health: ProviderHealth! before: HealthStatus! after: HealthStatus! }
type Resync { reason: String! oldest: Cursor! }
"""
"""What each kind of change adds, which the contract says in a comment."""

LATER = {
    "Query": {"resolveModel", "resolveModels", "changes"},
    "Subscription": {"availabilityBatches"},
    "Model": {"priceHistory"},
    "ChangeKind": {"MODEL_RENAMED", "EXPIRY_REMINDER"},
}
"""What the contract promises for later."""
LATER_ARGUMENTS = {"Mutation.refreshCatalogue": {"dryRun"}}
LATER_TYPES = {
    "ModelResolution",
    "ResolutionOutcome",
    "MatchEvent",
    "MatchChange",
    "MatchKind",
    "AvailabilityBatch",
    "AlertRule",
    "Notice",
    "Node",
    "Facets",
    "Facet",
    "ModelGroup",
    "IdentityBasis",
}


def built() -> GraphQLSchema:
    return build_schema(sdl())


def test_the_checked_in_sdl_is_what_the_code_exports() -> None:
    assert SDL.read_text(encoding="utf-8") == sdl(), "run: make generate"


def test_every_type_field_argument_and_enum_value_has_a_sentence() -> None:
    missing = [name for name, text in described() if not text or not text.endswith(".") or not text[0].isupper()]
    assert missing == []


def described() -> Iterator[tuple[str, str | None]]:
    for name, kind in built().type_map.items():
        if not name.startswith(BUILT_IN):
            yield name, kind.description
            yield from fields_described(name, kind)


def fields_described(name: str, kind: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        for field_name, field in kind.fields.items():
            yield f"{name}.{field_name}", field.description
            for argument_name, argument in field.args.items():
                yield f"{name}.{field_name}({argument_name})", argument.description
    elif isinstance(kind, GraphQLEnumType):
        for value_name, member in kind.values.items():
            yield f"{name}.{value_name}", member.description
    elif isinstance(kind, GraphQLInputObjectType):
        for input_name, value in kind.fields.items():
            yield f"{name}.{input_name}", value.description


def test_each_kind_of_change_has_its_fields() -> None:
    check(parse(CHANGES), whole=False)


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract is not beside this checkout")
def test_names_arguments_and_nullability_are_the_contracts() -> None:
    check(parse(CONTRACT.read_text(encoding="utf-8")), whole=True)


def check(contract: DocumentNode, *, whole: bool) -> None:
    types = built().type_map
    promised = {d.name.value: d for d in contract.definitions if hasattr(d, "name") and d.name}
    assert set(promised) - set(types) == (LATER_TYPES if whole else set())
    for name in promised.keys() & types.keys():
        definition, kind, later = promised[name], types[name], LATER.get(name, set())
        if isinstance(definition, EnumTypeDefinitionNode):
            assert isinstance(kind, GraphQLEnumType)
            assert set(kind.values) == {v.name.value for v in definition.values or ()} - later
            continue
        nodes = {node.name.value: node for node in getattr(definition, "fields", None) or ()}
        fields = getattr(kind, "fields", {})
        assert nodes.keys() - fields.keys() == later, name
        for field_name in nodes.keys() & fields.keys():
            place = f"{name}.{field_name}"
            assert written(fields[field_name]) == promise(nodes[field_name], LATER_ARGUMENTS.get(place)), place


def promise(node: FieldDefinitionNode | InputValueDefinitionNode, later: Container[str] | None = None) -> object:
    """The type of a field of the contract, and its arguments (those for later left out) or its default."""
    kind = print_ast(node.type)
    if isinstance(node, InputValueDefinitionNode):
        return kind, print_ast(node.default_value) if node.default_value else None
    return kind, {a.name.value: promise(a) for a in node.arguments or () if a.name.value not in (later or ())}


def written(field: GraphQLField | GraphQLInputField | GraphQLArgument) -> object:
    """The same of a field of the schema; a default of null says no more than none."""
    if isinstance(field, GraphQLField):
        return str(field.type), {name: written(argument) for name, argument in field.args.items()}
    value = field.ast_node.default_value if field.ast_node else None
    default = print_ast(value) if value else None
    return str(field.type), None if default == "null" else default
