"""What Discord's documents say in numbers, and the codes of its errors."""

from typing import Any

Json = dict[str, Any]

EPOCH_MS = 1_420_070_400_000
CONTENT = 2_000
EMBEDS_TOTAL = 6_000
TEXT_DISPLAYS_TOTAL = 4_000
COMPONENTS = 40
ROWS = 5
FILE_BYTES = 10 * 1024 * 1024
ANSWER_SECONDS = 3.0
TOKEN_SECONDS = 15 * 60.0
INVALID_PER_TEN_MINUTES = 10_000
PLAYED = 1_000
"""Events that a session keeps for a resume."""

EPHEMERAL = 1 << 6
COMPONENTS_V2 = 1 << 15

# Intents (developers/events/gateway.mdx), those that matter here.
GUILDS = 1 << 0
GUILD_MEMBERS = 1 << 1
GUILD_MESSAGES = 1 << 9
DIRECT_MESSAGES = 1 << 12
MESSAGE_CONTENT = 1 << 15
PRIVILEGED = {GUILD_MEMBERS: "GUILD_MEMBERS", MESSAGE_CONTENT: "MESSAGE_CONTENT"}

# Permissions (developers/topics/permissions.mdx).
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
CREATE_PUBLIC_THREADS = 1 << 35
CREATE_PRIVATE_THREADS = 1 << 36
SEND_MESSAGES_IN_THREADS = 1 << 38
ALL_PERMISSIONS = (1 << 50) - 1

UNKNOWN_CHANNEL = (404, 10003, "Unknown Channel")
UNKNOWN_GUILD = (404, 10004, "Unknown Guild")
UNKNOWN_MEMBER = (404, 10007, "Unknown Member")
UNKNOWN_MESSAGE = (404, 10008, "Unknown Message")
UNKNOWN_USER = (404, 10013, "Unknown User")
UNKNOWN_WEBHOOK = (404, 10015, "Unknown Webhook")
UNKNOWN_INTERACTION = (404, 10062, "Unknown interaction")
UNKNOWN_COMMAND = (404, 10063, "Unknown application command")
TOO_LARGE = (413, 40005, "Request entity too large")
ALREADY_ANSWERED = (400, 40060, "Interaction has already been acknowledged.")
MISSING_ACCESS = (403, 50001, "Missing Access")
NOT_TO_THIS_PERSON = (403, 50007, "Cannot send messages to this user")
EMPTY = (400, 50006, "Cannot send an empty message")
NOT_YOURS = (403, 50005, "Cannot edit a message authored by another user")
MISSING_PERMISSIONS = (403, 50013, "Missing Permissions")
INVALID_TOKEN = (401, 50027, "Invalid Webhook Token")
INVALID_FORM = (400, 50035, "Invalid Form Body")
ARCHIVED = (400, 50083, "Thread is archived")
HAS_THREAD = (400, 160004, "A thread has already been created for this message")
UNAUTHORIZED = (401, 0, "401: Unauthorized")
