"""Mails out of files: each is stored and dealt with here, as one that came to a mailbox."""

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from bot.email import boxes, inbox, telling
from bot.email.boxes import Box
from bot.email.child import Poison
from bot.email.door import Door
from bot.email.verdicts import Outcome
from bot.email.working import deal_now
from core.db import fetch_one_alone
from core.errors import Refused
from core.house import House
from core.ids import new_id
from core.organisations import Organisation
from core.unit import unit
from core.words import Words

FIRST = "miyabi@localhost"
"""What the first mailbox is called where nobody has added any: mail comes to it from files only."""

_NO_MAILBOX = Words(
    ja="メールボックス {address} は登録されていません。"
    "「miyabi mail box list」で確認してください。",
    en="There is no mailbox {address}. “miyabi mail box list” shows those that there are.",
    zh="邮箱 {address} 未登记。请用“miyabi mail box list”查看。",
)
_WHICH = Words(
    ja="メールボックスが複数あります。--mailbox で指定してください: {addresses}",
    en="There are several mailboxes. Name one with --mailbox: {addresses}",
    zh="有多个邮箱。请用 --mailbox 指定: {addresses}",
)


@dataclass(frozen=True, slots=True)
class Given:
    """A mail as it was given: a file's name, and its bytes. `whole_size` where only the header was
    read, as the whole is over the limit."""

    name: str
    raw: bytes = field(repr=False)
    whole_size: int | None = None


def in_folder(path: Path) -> list[Path]:
    """The mails below a folder, by name: what ends in .eml; or the one file."""
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.rglob("*") if each.is_file() and each.suffix == ".eml")


def read_file(path: Path, most: int) -> Given:
    """A mail out of a file; of one with more bytes than `most`, its header. Raises OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        return given(path.name, file.read(min(size, most + 1)), most, size)


def given(name: str, raw: bytes, most: int, size: int) -> Given:
    """A mail of so many bytes, of which `raw` is all, or as much as is needed for its header."""
    return Given(name, raw) if size <= most else Given(name, _header(raw), size)


def _header(raw: bytes) -> bytes:
    ends = [at for gap in (b"\r\n\r\n", b"\n\n") if (at := raw.find(gap)) >= 0]
    return raw[: min(ends, default=len(raw))] + b"\r\n\r\n"


async def mailbox(house: House, company: Organisation, address: str | None) -> Box:
    """The mailbox of that address; without one, the only one there is. Where there is none at all,
    the first is made. Raises Refused."""
    if address is not None:
        found = await boxes.by_address(house, address)
        if found is None or found.organisation_id != company.id:
            raise Refused(_NO_MAILBOX.fill(address=address[:200]))
        return found
    every = await boxes.of_organisation(house, company.id)
    if len(every) > 1:
        raise Refused(_WHICH.fill(addresses=", ".join(box.address for box in every)))
    return every[0] if every else await _first(house, company)


async def _first(house: House, company: Organisation) -> Box:
    local, _, domain = FIRST.partition("@")
    taken = await boxes.by_address(house, FIRST)  # by another company of this installation
    address = FIRST if taken is None else f"{local}-{company.slug}@{domain}"
    box = Box(new_id(), company.id, company.slug, address)
    async with unit(house) as work:
        await boxes.add(work, house, box)
    return box


async def ingest(door: Door, box: Box, mail: Given) -> dict[str, Any]:
    """Deal with a mail; what it says, and what became of it, for programs (bot/email/telling.py).

    One that is in the mailbox already is a duplicate, and is told with the task of the first.
    """
    mail_id = await inbox.store(
        door.house, box, mail.raw, came_by="file", whole_size=mail.whole_size
    )
    if mail_id is None:
        outcome, row = await _known(door, box, mail)
    else:
        outcome = await deal_now(door, box.organisation_id, mail_id)
        row = await _row(door.house, box, mail)
    try:
        said = telling.said(await door.readers.read(mail.raw))
    except Poison:
        said = {}
    address = said.get("from") or (row.sender if row else None)
    became = telling.became(outcome, address, row.verified_by if row else None)
    size = mail.whole_size or len(mail.raw)
    return {"file": mail.name, "bytes": size, "id": str(row.id) if row else None, **said, **became}


async def _known(door: Door, box: Box, mail: Given) -> tuple[Outcome | None, Any]:
    """A mail that came before. What a process before this one left undone is done now."""
    row = await _row(door.house, box, mail)
    if row is None:
        return None, None
    if row.state == "received":
        outcome = await deal_now(door, box.organisation_id, row.id)
        return outcome, await _row(door.house, box, mail)
    return Outcome("refused", "duplicate", row.task_id, row.reference), row


async def _row(house: House, box: Box, mail: Given) -> Any:
    return await fetch_one_alone(
        house.engine,
        "select m.id, m.state, m.sender, m.verified_by, m.task_id, t.reference from mails m"
        " left join tasks t on t.organisation_id = m.organisation_id and t.id = m.task_id"
        " where m.organisation_id = :organisation_id and m.mailbox_id = :mailbox_id"
        " and m.sha256 = :sha256",
        {
            "organisation_id": box.organisation_id,
            "mailbox_id": box.id,
            "sha256": sha256(mail.raw).hexdigest(),
        },
    )
