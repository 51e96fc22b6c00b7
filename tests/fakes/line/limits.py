"""The numbers of LINE's reference that its description does not have.

Lengths are in units of UTF-16, sizes in bytes; a KB is taken as 1,000 bytes, the stricter reading.
From developers.line.biz: Messaging API reference (message objects, action objects, rich menus),
Flex Message elements, Retry failed API requests, Messaging API pricing.
"""

MESSAGES_PER_CALL = 5
TEXT = 5000
ALT_TEXT = 1500  # Flex and template messages; it was 400 before
BUBBLE_BYTES = 30_000
CAROUSEL_BYTES = 50_000
CAROUSEL_BUBBLES = 12
URL = 2000
URI = 1000  # of a uri action
POSTBACK_DATA = 300
DISPLAY_TEXT = 300
MESSAGE_ACTION_TEXT = 300
QUICK_REPLIES = 13
LABELS = {"quick": 20, "flex": 40, "template": 20, "menu": 20}

REPLY_LIFE = 60.0  # seconds that a reply token surely works
RETRY_LIFE = 24 * 3600.0  # seconds that a retry key is remembered
LINK_TOKEN_LIFE = 600.0

STATELESS_LIFE = 899  # seconds of a stateless channel access token
SHORT_LIFE = 30 * 24 * 3600  # of a short-lived one

MENU_WIDTH = (800, 2500)
MENU_HEIGHT = 250  # at least
MENU_RATIO = 1.45  # at least: width / height
MENU_AREAS = 20
MENU_IMAGE_BYTES = 1_000_000

RATE_LIMITED = "The API rate limit has been exceeded. Try again later."
QUOTA_USED_UP = "You have reached your monthly limit."
BAD_TOKEN = (
    "Authentication failed due to the following reason: invalid token. "
    "Confirm that the access token in the authorization header is valid."
)
