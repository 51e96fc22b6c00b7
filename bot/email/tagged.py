"""Addresses with a tag, address+tag@domain: delivered to the mailbox, and told apart (RFC 5233)."""

from bot.email.boxes import Box

_LONGEST_LOCAL = 64  # octets of a local part (RFC 5321, 4.5.3.1.1)


def with_tag(box: Box, tag: str) -> str:
    """The mailbox's address with a tag. Where the provider delivers none, or there is no room for
    it, the mailbox's own."""
    local, _, domain = box.address.rpartition("@")
    tagged = f"{local}+{tag}"
    if not box.plus or len(tagged) > _LONGEST_LOCAL:
        return box.address
    return f"{tagged}@{domain}"


def tag_of(box: Box, address: str) -> str:
    """The tag in an address of the mailbox, in small letters; "" in one that has none, or in
    anybody else's."""
    local, _, domain = address.strip().strip("<>").lower().rpartition("@")
    own, _, own_domain = box.address.lower().rpartition("@")
    name, _, tag = local.partition("+")
    return tag if (name, domain) == (own, own_domain) else ""
