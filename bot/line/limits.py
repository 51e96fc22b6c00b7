"""What LINE takes at most, by its reference of the Messaging API (developers.line.biz).

Texts are counted in UTF-16 code units; labels and what a press shows in grapheme clusters, of which
there are never more (developers.line.biz/en/docs/messaging-api/text-character-count).
"""

TEXT = 5_000
ALT_TEXT = 1_500
MESSAGES = 5
"""Messages of one call."""

BUBBLE = 30_000
CAROUSEL = 50_000
"""Bytes of JSON: 30 KB and 50 KB."""
BUBBLES = 12
"""Bubbles of a carousel."""

BUTTON_LABEL = 40
QUICK_LABEL = 20
QUICK_REPLIES = 13
SHOWN_PRESS = 100
"""Characters of what the chat shows as said by whoever pressed (`displayText`); LINE takes 300."""
URI = 1_000
PICTURE_URL = 2_000
