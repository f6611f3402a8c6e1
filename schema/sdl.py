"""The schema as text. The published GraphQL cost directives state the fixed part of each policy.

The running schema lacks the directives: introspection would list them, and clients cannot use them.
"""

import json
from collections.abc import Iterator
from typing import cast

import strawberry
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    InterfaceTypeDefinitionNode,
    Location,
    ObjectTypeDefinitionNode,
    get_named_type,
    is_composite_type,
    parse,
)

from schema.policy import policy_of, weight_of

_DEFINITIONS = '''"""The cost of one value or object. Without it, the cost is 1."""
directive @cost(weight: String!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR

"""
The assumed length of a list or page. Without it, an argument or the catalogue determines the length.
"""
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION

'''  # noqa: E501 - the SDL has long lines


def sdl(schema: strawberry.Schema) -> str:
    """Return the text of the checked-in file."""
    text = schema.as_str()
    parts, written = [_DEFINITIONS], 0
    for end, field in _fields(schema, text):
        parts += text[written:end], *_directives(field)
        written = end
    return "".join((*parts, text[written:], "\n"))


def _fields(schema: strawberry.Schema, text: str) -> Iterator[tuple[int, GraphQLField]]:
    """Yield each field with the offset in the text at which its type ends."""
    types = schema._schema.type_map  # noqa: SLF001 - Strawberry has no public name for the schema that graphql-core runs
    for kind in parse(text).definitions:
        if isinstance(kind, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            fields = cast("GraphQLObjectType", types[kind.name.value]).fields
            for node in kind.fields or ():
                yield cast("Location", node.type.loc).end, fields[node.name.value]


def _directives(field: GraphQLField) -> Iterator[str]:
    policy, weight = policy_of(field), weight_of(field)
    if weight != 1 or not is_composite_type(get_named_type(field.type)):
        yield f' @cost(weight: "{weight:g}")'
    known = {"assumedSize": policy.rows} if isinstance(policy.rows, int) else {}
    named = {"slicingArguments": policy.slicing, "sizedFields": policy.sized_fields}
    sizes = known | {name: names for name, names in named.items() if names}
    if sizes:
        said = "".join(f"{name}: {json.dumps(value)}, " for name, value in sizes.items())
        yield f" @listSize({said}requireOneSlicingArgument: false)"
