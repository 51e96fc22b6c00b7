"""The numbers and names that Slack's own descriptions give, and where those descriptions are.

The limits are kept here so that the fake also works where the descriptions are absent; a test
compares them with the descriptions where they are present.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SPECS = Path(__file__).resolve().parents[4] / "shared" / "specs"

# Same paths as in slack-block-kit-limits.json. Characters for lengths, elements for items.
LIMITS: dict[str, int] = {
    "message.blocks.max_items": 50,
    "message.text.truncated_after": 40_000,
    "message.attachments.max_items": 100,
    "message.markdown_text.max_length": 12_000,
    "view.blocks.max_items": 100,
    "view.title.max_length": 24,
    "view.submit.max_length": 24,
    "view.close.max_length": 24,
    "view.private_metadata.max_length": 3000,
    "view.callback_id.max_length": 255,
    "block.block_id.max_length": 255,
    "section.text.max_length": 3000,
    "section.fields.max_items": 10,
    "section.fields.item_text_max_length": 2000,
    "header.text.max_length": 150,
    "context.elements.max_items": 10,
    "context_actions.elements.max_items": 5,
    "actions.elements.max_items": 25,
    "image.image_url.max_length": 3000,
    "image.alt_text.max_length": 2000,
    "image.title.max_length": 2000,
    "input.label.max_length": 2000,
    "input.hint.max_length": 2000,
    "markdown.text.max_length": 12_000,
    "element.action_id.max_length": 255,
    "element.placeholder.max_length": 150,
    "button.text.max_length": 75,
    "button.url.max_length": 3000,
    "button.value.max_length": 2000,
    "button.accessibility_label.max_length": 75,
    "option.text.max_length": 75,
    "option.value.max_length": 150,
    "option.description.max_length": 75,
    "option.url.max_length": 3000,
    "option_group.label.max_length": 75,
    "option_group.options.max_items": 100,
    "static_select.options.max_items": 100,
    "static_select.option_groups.max_items": 100,
    "external_select.options.max_items": 100,
    "external_select.option_groups.max_items": 100,
    "overflow.options.max_items": 5,
    "checkboxes.options.max_items": 10,
    "radio_buttons.options.max_items": 10,
    "plain_text_input.max_length.max": 3000,
    "plain_text_input.min_length.max": 3000,
    "confirm.title.max_length": 100,
    "confirm.text.max_length": 300,
    "confirm.confirm.max_length": 30,
    "confirm.deny.max_length": 30,
    "text_object.text.max_length": 3000,
}

# Reported, not documented: a message whose blocks add up to more than this many characters is
# refused with msg_blocks_too_long (slackapi/bolt-js issue 2509).
MESSAGE_CHARACTERS = 13_200

# The JSON of a view must stay under 250 KB (docs.slack.dev, views): view_too_large.
VIEW_BYTES = 250_000

# The arguments each method can't do without, beside the token (slack-methods.json).
REQUIRED: dict[str, tuple[str, ...]] = {
    "auth.test": (),
    "chat.postMessage": ("channel",),
    "chat.update": ("channel", "ts"),
    "chat.postEphemeral": ("channel", "user"),
    "chat.getPermalink": ("channel", "message_ts"),
    "chat.delete": ("channel", "ts"),
    "views.open": ("view",),
    "views.update": ("view",),
    "views.push": ("view",),
    "views.publish": ("user_id", "view"),
    "conversations.open": (),
    "conversations.replies": ("channel", "ts"),
    "conversations.history": ("channel",),
    "conversations.info": ("channel",),
    "conversations.members": ("channel",),
    "users.info": ("user",),
    "users.lookupByEmail": ("email",),
    "files.getUploadURLExternal": ("filename", "length"),
    "files.completeUploadExternal": ("files",),
    "files.info": ("file",),
    "oauth.v2.access": (),
    "apps.connections.open": (),
    "reactions.add": ("channel", "name", "timestamp"),
}


@cache
def described_methods() -> dict[str, Json]:
    """Slack's method pages as data, by method name; empty where they are not to be had."""
    file = SPECS / "slack-methods.json"
    if not file.is_file():
        return {}
    methods: dict[str, Json] = json.loads(file.read_text(encoding="utf-8"))["methods"]
    return methods


def flattened(limits: Json, prefix: str = "") -> dict[str, object]:
    """Nested limits as one level of dotted paths, the form of `LIMITS`."""
    flat: dict[str, object] = {}
    for name, value in limits.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            flat |= flattened(value, f"{path}.")
        else:
            flat[path] = value
    return flat
