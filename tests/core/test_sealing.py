"""Tokens at rest open with their key, and for their platform and workspace only."""

import pytest

from core.errors import Permanent
from core.sealing import seal, unseal

KEY = b"k" * 32
OF_OLD = bytes.fromhex(
    "01e728578412c0a8cdb7136c0339b752afd9b890957bafe4aebb807fffd668fa629218b616a79f1f7b09be2f17bc0d"
    "50"
)
"""What bot/slack/sealing.py wrote, before other platforms had tokens too."""


def test_a_sealed_token_opens_with_its_key_and_for_its_workspace_only() -> None:
    sealed = seal(KEY, "slack", "T1", {"token": "xoxb-1"})

    assert unseal(KEY, "slack", "T1", sealed) == {"token": "xoxb-1"}
    assert seal(KEY, "slack", "T1", {"token": "xoxb-1"}) != sealed
    for key, platform, workspace, content in (
        (b"K" * 32, "slack", "T1", sealed),
        (KEY, "line", "T1", sealed),
        (KEY, "slack", "T2", sealed),
        (KEY, "slack", "T1", sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        with pytest.raises(Permanent):
            unseal(key, platform, workspace, content)


def test_a_token_that_was_stored_before_other_platforms_had_any_still_opens() -> None:
    assert unseal(KEY, "slack", "T1", OF_OLD) == {"token": "xoxb-1"}
