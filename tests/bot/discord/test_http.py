"""Interactions by HTTP: signed over the raw bytes, and dealt with by the same handlers."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.discord.webhook import why_not
from tests.bot.discord.conftest import Office

pytestmark = pytest.mark.timeout(120)

SAMPLE = Path(__file__).resolve().parents[4] / "shared/specs/samples/discord-request-signing.json"


@pytest.mark.skipif(not SAMPLE.is_file(), reason="the samples lie beside the source")
def test_the_published_example_is_right_and_any_change_of_it_is_not() -> None:
    sample = json.loads(SAMPLE.read_text("utf-8"))
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(sample["public_key"]))
    body, headers = sample["body"].encode(), sample["headers"]
    at = float(headers["x-signature-timestamp"])
    assert why_not(key, body, headers, at) is None
    assert why_not(key, body + b" ", headers, at) == "signature"
    assert why_not(key, body, headers, at + 3_600) == "old"
    assert why_not(key, body, headers | {"x-signature-timestamp": "1"}, at) == "signature"
    assert why_not(key, body, headers | {"x-signature-timestamp": ""}, at) == "unsigned"
    assert why_not(key, body, headers | {"x-signature-ed25519": "zz"}, at) == "signature"


async def test_a_request_by_http_is_answered_in_its_body(quiet_office: Office) -> None:
    office, hanako = quiet_office, quiet_office.users["hanako"]
    assert await office.http.ping() == (200, {"type": 1})
    status, _ = await office.http.raw(b"{}", {"X-Signature-Ed25519": "00"})
    assert status == 401

    text = {"text": "株式会社ABC商事 モニター5台"}
    reply = await office.http.slash("miyabi quote", hanako, office.channel, text)
    assert reply.status == 200
    assert "受け付けました" in (await reply.message()).text
    again = await office.http.redeliver(reply)
    assert again.status == 202
    assert (await office.rows("select count(*) as n from tasks"))[0].n == 1
    assert len(reply.messages) == 1

    found = await office.http.autocomplete(
        "miyabi quote", "customer", "ABC", hanako, office.channel
    )
    assert found
    opened = await office.http.slash("miyabi quote", hanako, office.channel)
    assert opened.modal is not None
