"""A page of models as a Relay connection."""

from collections.abc import Sequence

from catalogue.view import ModelView
from schema.declaration import field, output
from schema.model import Model
from schema.policy import Reads


@output(Reads.NOTHING)
class PageInfo:
    """The position of a page in its list."""

    has_next_page: bool = field("Whether entries follow this page.")
    has_previous_page: bool = field("Whether entries precede this page.")
    start_cursor: str | None = field("The cursor of the first entry. Null if the page is empty.")
    end_cursor: str | None = field("The cursor of the last entry. Null if the page is empty.")


@output(Reads.REVISION)
class ModelEdge:
    """A model with its cursor."""

    cursor: str = field("The position of the model in the list. Valid only for the same `orderBy`.")
    node: ModelView = field("The model.", graphql_type=Model)


@output(Reads.REVISION)
class ModelConnection:
    """A page of a list of models."""

    edges: list[ModelEdge] = field("The models of this page with their cursors.")
    nodes: Sequence[ModelView] = field("The models of this page.", graphql_type=list[Model])
    page_info: PageInfo = field("The position of this page in the list.")
    total_count: int = field("The number of models in the whole list.")
