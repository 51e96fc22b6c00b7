"""A notice in the form of each channel that there is, without sending it."""

import html
from collections.abc import Mapping

from core.channel import Channel
from core.ids import new_id
from core.messages import Message
from core.platform import Platform, Preview
from miyabi.plugins import all_channels, all_platforms
from notifier.hub import places
from notifier.hub.told import Told
from notifier.hub.trying import Show


def ways() -> Mapping[str, Show]:
    """All platforms and channels that only send, by name."""
    chats = {name: _of_platform(platform) for name, platform in all_platforms().items()}
    return chats | {name: _of_channel(channel) for name, channel in all_channels().items()}


def page_of(preview: Preview) -> str:
    """Its page, or what would be sent as one."""
    if preview.page:
        return preview.page
    return (
        "<!doctype html><meta charset=utf-8><body style='width:720px;margin:16px'>"
        "<pre style='white-space:pre-wrap;font:13px/1.5 Menlo,monospace'>"
        f"{html.escape(preview.sent)}"
    )


def _of_platform(platform: Platform) -> Show:
    return lambda told, message: platform.preview(message)


def _of_channel(channel: Channel) -> Show:
    def show(told: Told, message: Message) -> Preview:
        place = places.made(told.organisation_id, "preview", channel.name, "https://example.com/")
        posting = places.posting(place, message, places.as_data(told), str(new_id()))
        return Preview(channel.preview(posting))

    return show
