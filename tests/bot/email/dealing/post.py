"""A company that is written to: its mailbox, its people, and mails as they write them."""

from uuid import UUID

from bot.email.boxes import Box, Trust
from core.ids import new_id

PROVIDER = "mx.provider.example"


def box_of(
    organisation_id: UUID, address: str, slug: str = "acme", purpose: str = "general"
) -> Box:
    """A mailbox whose provider is believed."""
    return Box(
        new_id(), organisation_id, slug, address, purpose,  # type: ignore[arg-type]
        trust=Trust(authserv_ids=(PROVIDER,), domains=("friends.example",)),
    )  # fmt: skip
