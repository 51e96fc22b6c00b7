"""The log is one, in a form for its reader, and tells no secret whoever wrote the line."""

import json
import logging

import pytest
import structlog

from miyabi.logs import configure

TOKEN = "xoxb-123456789012-abcdefghijkl"


def test_a_machine_reads_a_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure(as_json=True, process="web")
    structlog.get_logger().info("task.failed", task="#1042", why="価格表")
    logging.getLogger("some.library").warning("from a library: %s", "here")

    ours, theirs = map(json.loads, capsys.readouterr().err.splitlines())

    assert (ours["event"], ours["task"], ours["why"]) == ("task.failed", "#1042", "価格表")
    assert (theirs["event"], theirs["level"]) == ("from a library: here", "warning")
    assert ours["process"] == theirs["process"] == "web"
    assert ours["timestamp"].endswith("Z")


def test_a_person_reads_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure(as_json=False)
    structlog.get_logger().info("task.failed", task="#1042")

    line = capsys.readouterr().err

    assert "task.failed" in line
    assert "#1042" in line
    assert not line.startswith("{")


@pytest.mark.parametrize("as_json", [True, False])
def test_no_secret_is_told(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    configure(as_json=as_json)
    log = structlog.get_logger()
    log.info("a", bot_token="abc-secret-1", client_secret="abc-secret-2", password="abc-secret-3")
    log.info("b", url="postgresql://miyabi:abc-secret-4@db:5432/miyabi", said=f"with {TOKEN}")
    logging.getLogger("library").error("Authorization: Bearer abc-secret-5-long")
    try:
        raise ValueError(f"postgresql://miyabi:abc-secret-6@db/miyabi {TOKEN}")
    except ValueError:
        log.exception("c")

    said = capsys.readouterr().err

    assert "abc-secret" not in said
    assert TOKEN not in said
    assert "ValueError" in said


def test_crashes_do_not_show_what_variables_held(capsys: pytest.CaptureFixture[str]) -> None:
    configure(as_json=False)

    def crash(customer: str) -> None:
        raise ValueError(len(customer))

    try:
        crash("confidential customer")
    except ValueError:
        structlog.get_logger().exception("crashed")

    said = capsys.readouterr().err

    assert "raise ValueError" in said
    assert "confidential customer" not in said.replace('crash("confidential customer")', "")
