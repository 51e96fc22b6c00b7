"""Slack's numbers, each with where it is said."""

SECTION_TEXT = 2_900
"""Of 3,000 (docs.slack.dev, section block); the rest is for our own marks around the words."""

HEADER_TEXT = 150  # docs.slack.dev, header block
FIELDS = 10  # docs.slack.dev, section block: fields in one section
FIELD_TEXT = 2_000  # docs.slack.dev, section block
BUTTON_TEXT = 75  # docs.slack.dev, button element
ACTIONS = 25  # docs.slack.dev, actions block: elements in one block
OPTIONS = 100  # docs.slack.dev, static and external select
OVERFLOW = 5  # docs.slack.dev, overflow menu element
OPTION_TEXT = 75  # docs.slack.dev, option object
OPTION_VALUE = 150  # docs.slack.dev, option object
PLACEHOLDER = 150  # docs.slack.dev, select elements
ALT_TEXT = 2_000  # docs.slack.dev, image block
CONTEXT_TEXT = 1_000  # our own: what stands beneath a card is small print
MESSAGE_BLOCKS = 50  # docs.slack.dev, blocks in a message
VIEW_BLOCKS = 100  # docs.slack.dev, blocks in a view
VIEW_TITLE = 24  # docs.slack.dev, views: title, submit and close
FALLBACK_TEXT = 3_000
"""Of 4,000 that Slack advises for `text` (docs.slack.dev, chat.postMessage)."""

MESSAGE_TEXT = 12_500
"""All texts of a message together. Not documented: beyond some 13,200 characters Slack answers
msg_blocks_too_long (slackapi/bolt-js, issue 2509)."""

BODY_BYTES = 1_000_000  # our own: nothing that Slack sends comes near it
SIGNATURE_AGE = 300  # seconds; docs.slack.dev, verifying requests
DOWNLOAD_TIMEOUT = 45  # seconds, our own: of one file, within the minute that a step has
CALL_TIMEOUT = 8  # seconds, our own: a message may take several calls, and has 15 s for them all
"""A `trigger_id` opens one view within 3 s (docs.slack.dev, handling user interaction), and a
`response_url` takes five answers within half an hour, which is why nothing here uses one."""
