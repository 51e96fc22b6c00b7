"""Discord's numbers, each with where it is said."""

CONTENT = 2_000  # docs.discord.com, create message: content
V2_TEXT = 4_000  # docs.discord.com, components reference: text displays of one message together
V2_COMPONENTS = 40  # docs.discord.com, components reference: of one message, nested ones included
ROW_BUTTONS = 5  # docs.discord.com, action row
MOST_BUTTONS = 15  # our own: more go into a menu, as a message has 40 components in all
BUTTON_TEXT = 80  # docs.discord.com, button: label
CUSTOM_ID = 100  # docs.discord.com, custom id
OPTIONS = 25  # docs.discord.com, string select: options
OPTION_TEXT = 100  # docs.discord.com, select option: label and value
PLACEHOLDER = 150  # docs.discord.com, selects
CHOICES = 25  # docs.discord.com, autocomplete: choices
CHOICE_TEXT = 100  # docs.discord.com, application command option choice
COMMAND_TEXT = 100  # docs.discord.com, application command: description
MODAL_TITLE = 45  # docs.discord.com, modal
MODAL_LABEL = 45  # docs.discord.com, label
MODAL_HINT = 100  # docs.discord.com, label: description; text input: placeholder
MODAL_TEXT = 4_000  # docs.discord.com, text input
THREAD_NAME = 100  # docs.discord.com, start thread from message
FILE_ALT = 1_024  # docs.discord.com, attachment: description

UPLOAD = {0: 10 << 20, 1: 10 << 20, 2: 50 << 20, 3: 100 << 20}
"""Bytes of a file by the guild's boost tier (docs.discord.com, uploading files)."""

PARTS = 5
"""Our own: further messages of a text that is too long for one; beyond, it ends with a mark."""
TEXT_ROOM = V2_TEXT - 200
"""Our own: what of a message's texts is left for marks around the words."""

ANSWER = 3.0  # seconds until an interaction has to be answered (docs.discord.com, interactions)
TOKEN_MINUTES = 14
"""Of the 15 minutes for which an interaction's token is good (docs.discord.com, interactions)."""
AT_ONCE = 0.4  # seconds, our own: what takes longer is deferred first
OPENS_WITHIN = 1.8  # seconds, our own: a modal can't be deferred, and what it needs must be read
BODY_BYTES = 1_000_000  # our own: nothing that Discord posts comes near it
SIGNATURE_AGE = 300  # seconds, our own: Discord names none

INVALID = 10_000  # docs.discord.com, rate limits: answers 401, 403, 429 in ten minutes
INVALID_OURS = 2_000
"""Our own: of one process. Five of them stay within Discord's number."""
INVALID_WITHIN = 600.0  # seconds
CALL_TIMEOUT = 8  # seconds, our own
DOWNLOAD_TIMEOUT = 45  # seconds, our own: of one file, within the minute that a step has
WAITS_ITSELF = 2.0
"""Seconds, our own: what Discord has us wait beyond, all workers hear of (core/gate.py)."""
