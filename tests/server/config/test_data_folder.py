"""The data folder belongs to one server, which takes it anew where it is deleted or replaced under it."""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs

from catalogue.ports.errors import StoreConflict
from server.config.configuration import ConfigurationError, load_settings
from server.config.data_folder import DataFolderLock, lock_data_folder
from server.config.generated_secrets import admin_tokens, generated, hashing_secret, restore
from server.config.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"CATALOGUE_DATA_DIR": str(tmp_path / "data")})


@pytest.fixture
def lock(settings: Settings) -> Iterator[DataFolderLock]:
    with lock_data_folder(settings.data_dir) as held:
        yield held


def nothing() -> list[str]:
    return []


def refused(folder: Path) -> bool:
    """Whether a second server is refused."""
    try:
        with lock_data_folder(folder):
            return False
    except ConfigurationError as error:
        return "another server" in str(error)


def test_a_folder_is_free_once_its_server_has_ended(settings: Settings) -> None:
    with lock_data_folder(settings.data_dir):
        assert refused(settings.data_dir)
    assert not refused(settings.data_dir)


def test_a_deleted_folder_is_taken_anew_with_the_secrets_that_were_made(
    settings: Settings, lock: DataFolderLock
) -> None:
    secret, tokens = hashing_secret(settings), admin_tokens(settings)
    shutil.rmtree(settings.data_dir)
    with capture_logs() as lines:
        for _ in range(2):
            lock.renew(lambda: restore(settings.data_dir, generated(settings, secret, tokens)))
    assert [line["written"] for line in lines] == [["lock", "secret", "admin-token"]]
    assert refused(settings.data_dir)
    assert (hashing_secret(settings), admin_tokens(settings)) == (secret, tokens)
    assert {(p.name, p.stat().st_mode & 0o777) for p in settings.data_dir.iterdir() if p.name != "lock"} == {
        ("secret", 0o600),
        ("admin-token", 0o600),
    }
    assert settings.data_dir.stat().st_mode & 0o777 == 0o700


def test_what_is_configured_is_not_written(tmp_path: Path) -> None:
    env = {"CATALOGUE_SECRET": "configured-secret", "CATALOGUE_ADMIN_TOKENS": "ops:configured-token"}
    settings = load_settings({"CATALOGUE_DATA_DIR": str(tmp_path), **env})
    assert not generated(settings, hashing_secret(settings), admin_tokens(settings))


def test_a_token_that_was_removed_so_that_a_new_one_is_made_stays_removed(
    settings: Settings, lock: DataFolderLock
) -> None:
    kept = generated(settings, hashing_secret(settings), admin_tokens(settings))
    (settings.data_dir / "admin-token").unlink()
    lock.renew(lambda: restore(settings.data_dir, kept))
    assert not (settings.data_dir / "admin-token").exists()


def test_secrets_that_stand_in_a_replaced_folder_are_left_as_they_are(settings: Settings, lock: DataFolderLock) -> None:
    kept = generated(settings, hashing_secret(settings), admin_tokens(settings))
    settings.data_dir.rename(settings.data_dir.with_name("elsewhere"))
    settings.data_dir.mkdir()
    (settings.data_dir / "secret").write_text("somebody else's secret")
    with capture_logs() as lines:
        lock.renew(lambda: restore(settings.data_dir, kept))
    assert [line["written"] for line in lines] == [["lock", "admin-token"]]
    assert (settings.data_dir / "secret").read_text() == "somebody else's secret"


def test_a_folder_that_another_server_has_taken_is_left_to_it(settings: Settings, lock: DataFolderLock) -> None:
    shutil.rmtree(settings.data_dir)
    with lock_data_folder(settings.data_dir):
        for _ in range(2):
            with pytest.raises(StoreConflict, match="another server"):
                lock.renew(lambda: pytest.fail("nothing may be written"))
    lock.renew(nothing)
    assert refused(settings.data_dir)


def test_what_could_not_be_put_back_is_put_back_the_next_time(settings: Settings, lock: DataFolderLock) -> None:
    put = Mock(side_effect=[OSError(errno.ENOSPC, "No space left on device"), ["secret"]])
    shutil.rmtree(settings.data_dir)
    with pytest.raises(OSError, match="No space left"):
        lock.renew(put)
    for _ in range(2):
        lock.renew(put)
    assert put.call_count == 2
    assert refused(settings.data_dir)


def test_a_folder_that_cannot_be_made_anew_is_an_error_of_the_file_system(
    settings: Settings, lock: DataFolderLock
) -> None:
    shutil.rmtree(settings.data_dir)
    settings.data_dir.write_text("a file stands where the folder should be")
    with pytest.raises(OSError, match="File exists"):
        lock.renew(nothing)
