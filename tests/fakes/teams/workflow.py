"""A fake workflow of Teams: takes a message with Adaptive Cards, as its trigger's schema has it.

It refuses what Power Automate and Teams refuse: another schema, a card with what 1.4 does not know,
more than 28 KB, a wrong signature in the address.
"""

import json
from collections.abc import Mapping
from typing import Any

from tests.fakes.webhooks.receiver import Answer, Receiver

MOST = 28 * 1024
ACCEPTED = Answer(202, "", {"x-ms-workflow-run-id": "08584"})
OFF = Answer(
    400,
    json.dumps({"error": {"code": "WorkflowTriggerIsNotEnabled", "message": "Could not execute"}}),
)
UNSIGNED = Answer(
    401, json.dumps({"error": {"code": "DirectApiAuthorizationRequired", "message": "sig"}})
)
INSIDE_429 = Answer(
    200,
    "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
)
"""What is answered with a 200 where Teams itself was too busy."""
INSIDE_413 = Answer(
    200,
    "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413",
)
BUSY = Answer(429, json.dumps({"error": {"code": "RateLimited"}}), {"Retry-After": "17"})

_ELEMENTS = {"RichTextBlock"}
_RUN = {"type", "text", "weight", "size", "color", "isSubtle"}


class Workflow(Receiver):
    """A receiver that looks at what it is sent."""

    def cards(self) -> list[Mapping[str, Any]]:
        """What stands in the channel, in order."""
        return [card_of(json.loads(body)) for _, body in self.calls]

    @property
    def address(self) -> str:
        return f"{self.url}/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=s3cret"


def card_of(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The card of a post. Raises AssertionError where Teams would refuse it."""
    assert len(json.dumps(content, ensure_ascii=False).encode()) <= MOST
    assert set(content) == {"type", "attachments"}
    assert content["type"] == "message"
    [attachment] = content["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card: Mapping[str, Any] = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["fallbackText"]
    for element in card["body"]:
        assert element["type"] in _ELEMENTS
        assert element["inlines"]
        for run in element["inlines"]:
            assert run["type"] == "TextRun"
            assert run["text"]
            assert set(run) <= _RUN
    for action in card.get("actions", []):
        assert action["type"] == "Action.OpenUrl"
        assert action["url"].startswith(("https://", "http://"))
    return card


def text_of(card: Mapping[str, Any]) -> str:
    """All that is to be read on a card."""
    return "\n".join("".join(run["text"] for run in each["inlines"]) for each in card["body"])
