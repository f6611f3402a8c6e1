"""The operator's list of documents: what it may look like, and that a fault is one line that names place and remedy."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from execution.persisted import DocumentNotAllowed, PersistedDocuments
from execution.request import GraphQLRequest
from server.command.operations import DOCUMENTS, MODELS
from server.config.allowed_documents import MAX_BYTES, allowed_documents
from server.config.configuration import ConfigurationError

TEXT = "{ models { id } }"
HASH = hashlib.sha256(TEXT.encode()).hexdigest()


def test_without_the_setting_any_document_may_run() -> None:
    assert allowed_documents(None) is None


@pytest.mark.parametrize("hash_", [HASH, f"sha256:{HASH}"])
def test_a_file_lists_documents_by_hash(tmp_path: Path, hash_: str) -> None:
    file = tmp_path / "documents.json"
    file.write_text(json.dumps({hash_: TEXT}))
    documents = PersistedDocuments(allowed_documents(file))
    assert documents.text(GraphQLRequest(TEXT)) == TEXT
    assert documents.text(GraphQLRequest(None, document_hash=HASH)) == TEXT
    with pytest.raises(DocumentNotAllowed):
        documents.text(GraphQLRequest(TEXT + " "))


def test_a_folder_lists_every_graphql_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "models.graphql").write_text(TEXT)
    (tmp_path / "README.md").write_text("{ providers { id } }")
    documents = PersistedDocuments(allowed_documents(tmp_path))
    assert documents.text(GraphQLRequest(TEXT)) == TEXT
    with pytest.raises(DocumentNotAllowed):
        documents.text(GraphQLRequest("{ providers { id } }"))


def test_the_command_line_works_whatever_is_listed(tmp_path: Path) -> None:
    (tmp_path / "models.graphql").write_text(TEXT)
    assert PersistedDocuments(allowed_documents(tmp_path, own=DOCUMENTS)).text(GraphQLRequest(MODELS)) == MODELS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"\xff", "not UTF-8"),
        (b"[]", "must be a JSON object"),
        (b'{"a": 1}', "must be a JSON object"),
        (b"{}", "has no documents"),
        (json.dumps({"0" * 64: TEXT}).encode(), "does not match"),
        (b" " * (MAX_BYTES + 1), "larger than"),
    ],
)
def test_a_list_that_cannot_be_used_stops_the_start_with_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "documents.json"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"^allowed_documents: {re.escape(str(file))}: .*{words}.*") as caught:
        allowed_documents(file)
    assert "\n" not in str(caught.value)


def test_a_list_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        allowed_documents(tmp_path / "missing.json")
