"""Settings: the order of their sources, readable refusals, and secrets that stay secret."""

import os
import stat
import threading
from pathlib import Path

import pytest

from core.errors import Permanent
from core.secret_key import secret_key
from core.settings import WrongSettings, read_settings

PLAIN = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder and an environment without settings."""
    for name in list(os.environ):
        if name in PLAIN or name.startswith(("MIYABI_", "SLACK_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _problem(**overrides: object) -> str:
    with pytest.raises(WrongSettings) as caught:
        read_settings(**overrides)
    return caught.value.words.en


def test_without_any_setting_the_embedded_servers_under_the_folder_are_meant(folder: Path) -> None:
    settings = read_settings()

    assert (settings.database_url, settings.redis_url) == (None, None)
    assert settings.home == folder / ".miyabi"
    assert (settings.host, settings.port, settings.approval_days) == ("127.0.0.1", 8420, 14)
    assert settings.price_list.connector == "csv"


@pytest.mark.parametrize("in_environment", [None, "DATABASE_URL", "MIYABI_DATABASE_URL"])
@pytest.mark.parametrize("in_dotenv", [None, "DATABASE_URL", "MIYABI_DATABASE_URL"])
@pytest.mark.parametrize("in_toml", [False, True])
def test_environment_wins_over_dotenv_over_toml_under_either_name(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_environment: str | None,
    in_dotenv: str | None,
    in_toml: bool,
) -> None:
    if in_environment:
        monkeypatch.setenv(in_environment, "postgresql://environment/x")
    if in_dotenv:
        (folder / ".env").write_text(f"{in_dotenv}=postgresql://dotenv/x\n")
    if in_toml:
        (folder / "miyabi.toml").write_text('database_url = "postgresql://toml/x"\n')
    expected = (
        "postgresql+asyncpg://environment/x"
        if in_environment
        else "postgresql+asyncpg://dotenv/x"
        if in_dotenv
        else "postgresql+asyncpg://toml/x"
        if in_toml
        else None
    )

    found = read_settings().database_url

    assert (found and found.get_secret_value()) == expected


def test_each_key_of_a_section_is_taken_from_its_own_strongest_source(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-environment")
    (folder / ".env").write_text("SLACK_BOT_TOKEN=xoxb-dotenv\nSLACK_SIGNING_SECRET=from-dotenv\n")
    (folder / "miyabi.toml").write_text(
        '[slack]\nsigning_secret = "from-toml"\nclient_id = "1.2"\n'
        '[price_list]\nconnector = "google_sheets"\nspreadsheet = "abc"\n'
    )

    settings = read_settings()

    assert settings.slack.bot_token is not None
    assert settings.slack.bot_token.get_secret_value() == "xoxb-environment"
    assert settings.slack.signing_secret is not None
    assert settings.slack.signing_secret.get_secret_value() == "from-dotenv"
    assert settings.slack.client_id == "1.2"
    assert settings.price_list.connector == "google_sheets"
    assert settings.price_list.options == {"spreadsheet": "abc"}


def test_the_command_line_wins_over_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIYABI_PORT", "9000")

    assert read_settings(port=9001).port == 9001


def test_a_persons_own_address_in_the_environment_is_no_setting_of_ours(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git and Debian's tools read EMAIL."""
    monkeypatch.setenv("EMAIL", "hanako@example.jp")
    monkeypatch.setenv("EMAIL_LISTEN_LMTP", "8024")
    (folder / ".env").write_text("EMAIL=hanako@example.jp\nEMAIL_PAGE_DAYS=3\n")

    email = read_settings().email

    assert (email.listen_lmtp, email.page_days) == (8024, 3)


def test_an_empty_line_of_a_copied_env_file_sets_nothing(folder: Path) -> None:
    (folder / ".env").write_text("DATABASE_URL=\nSLACK_BOT_TOKEN=\nMIYABI_LOG_JSON=\n")

    settings = read_settings()

    assert (settings.database_url, settings.slack.bot_token) == (None, None)
    assert settings.log_json is None


def test_a_wrong_value_is_refused_by_its_key_and_where_it_was_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIYABI_PORT", "eight")
    (folder / ".env").write_text("REDIS_URL=http://nothing\n")
    (folder / "miyabi.toml").write_text('approval_days = 0\n[slack]\napi_url = "nowhere"\n')

    problem = _problem(organisation="No Spaces")

    assert "- MIYABI_PORT (environment): " in problem
    assert "- REDIS_URL (.env): should look like redis://" in problem
    assert "- approval_days (miyabi.toml): " in problem
    assert "- slack.api_url (miyabi.toml): " in problem
    assert "- organisation (command line): " in problem


def test_a_misspelt_key_in_the_file_is_refused(folder: Path) -> None:
    (folder / "miyabi.toml").write_text('prot = 1\n[slack]\nbot_tokem = "x"\n')

    problem = _problem()

    assert "- prot (miyabi.toml): there is no such setting" in problem
    assert "- slack.bot_tokem (miyabi.toml): there is no such setting" in problem


def test_a_file_that_is_not_toml_is_refused_with_its_line(folder: Path) -> None:
    (folder / "miyabi.toml").write_text("port = 1\nhost = \n")

    assert "line 2" in _problem()


def test_a_section_given_as_json_is_read_and_broken_json_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MIYABI_PRICE_LIST", '{"connector": "google_sheets", "spreadsheet": "abc"}')
    assert read_settings().price_list.options == {"spreadsheet": "abc"}

    monkeypatch.setenv("MIYABI_PRICE_LIST", '{"connector')
    assert "price_list" in _problem()


def test_no_secret_shows_in_the_repr_or_in_a_refusal(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://miyabi:hush-hush@db/miyabi")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "hush-hush")
    monkeypatch.setenv("MIYABI_SECRET_KEY", KEY)

    shown = repr(read_settings())
    monkeypatch.setenv("DATABASE_URL", "mysql://miyabi:hush-hush@db/miyabi")
    monkeypatch.setenv("MIYABI_SECRET_KEY", "hush-hush")
    problem = _problem()

    assert "hush-hush" not in shown
    assert KEY not in shown
    assert "DATABASE_URL (environment)" in problem
    assert "MIYABI_SECRET_KEY (environment)" in problem
    assert "hush-hush" not in problem


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("postgres://u:p@h:5/d", "postgresql+asyncpg://u:p@h:5/d"),
        ("postgresql://h/d?sslmode=require", "postgresql+asyncpg://h/d?ssl=require"),
        (
            "postgresql+asyncpg://postgres@/miyabi?host=/run/pg",
            "postgresql+asyncpg://postgres@/miyabi?host=/run/pg",
        ),
    ],
)
def test_database_addresses_are_spelt_for_the_driver(
    monkeypatch: pytest.MonkeyPatch, written: str, meant: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", written)

    settings = read_settings()

    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == meant
    assert settings.owner_url == settings.database_url


def test_the_embedded_key_is_made_once_and_readable_by_its_owner_only(folder: Path) -> None:
    settings = read_settings()
    found: list[bytes] = []
    callers = [
        threading.Thread(target=lambda: found.append(secret_key(settings))) for _ in range(8)
    ]

    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(found[0]) == 32
    assert stat.S_IMODE((folder / ".miyabi" / "secret.key").stat().st_mode) == 0o600


def test_with_a_real_database_a_missing_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/miyabi")

    with pytest.raises(Permanent, match="MIYABI_SECRET_KEY"):
        secret_key(read_settings())


def test_a_key_that_was_set_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/miyabi")
    monkeypatch.setenv("MIYABI_SECRET_KEY", KEY)

    assert secret_key(read_settings()) == bytes(range(32))
