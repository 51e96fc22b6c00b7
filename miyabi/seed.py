"""The sample company that a first look runs on; made only where no organisation exists."""

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import text

from core import organisations, people
from core.company import Company
from core.documents import Files
from core.house import House
from core.inbound import Sender
from core.organisations import Organisation
from core.positions import Position, place
from core.typeset import preview
from core.unit import unit

_LOCK = 5_114_200_003  # any number; processes that seed at the same moment wait for each other

COMPANY = Company(
    name="株式会社みやび商事",
    postal_code="100-0005",
    address="東京都千代田区丸の内1-1-1\nみやびビル8階",
    phone="03-0000-0000",
    email="sales@miyabi-shoji.example",
    registration_number="T7000012050002",
    payment_terms="月末締め翌月末払い",
)

PEOPLE = (
    ("tanaka", "田中 太郎", frozenset({"requester"})),
    ("suzuki", "鈴木 花子", frozenset({"approver", "accountant"})),
    ("sato", "佐藤 次郎", frozenset({"admin", "auditor", "approver", "requester"})),
)

PLACES = {
    "sato": Position("営業部", "部長", "6"),
    "tanaka": Position("営業部", "主任", "3", "sato"),
    "suzuki": Position("経理部", "課長", "5", "sato"),
}
"""Where they stand, superiors first."""

_SEAL = """
#set page(width: 22mm, height: 22mm, margin: 1mm, fill: none)
#set text(font: "Noto Sans CJK JP", weight: "bold", size: 15pt, fill: rgb("#c8102e"))
#set par(leading: 0.25em, spacing: 0pt)
#rect(width: 100%, height: 100%, stroke: 1.6pt + rgb("#c8102e"), radius: 2pt, inset: 0pt,
  align(center + horizon)[みやび\\ 商事之\\ 印章])
"""


def console_account(slug: str, handle: str) -> Sender:
    """The account by which a person speaks from the terminal. A handle is a company's own."""
    return Sender("console", "local" if slug == "default" else slug, handle)


async def seed_if_empty(house: House, slug: str) -> None:
    """Make the sample company with its people, unless there is any organisation already."""
    async with house.engine.connect() as connection:
        if await organisations.every(connection):
            return
    async with unit(house) as work:
        await work.connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if await organisations.every(work.connection):
            return
        organisation = await organisations.add(work, slug, COMPANY)
        added = {}
        for handle, name, roles in PEOPLE:
            person = await people.add(work, organisation.id, handle, name, roles)
            await people.link(work, person, console_account(slug, handle))
            added[handle] = person
        for handle, position in PLACES.items():
            await place(work, added[handle], position)
    await _give_seal(house, organisation)


async def _give_seal(house: House, organisation: Organisation) -> None:
    """The company's seal, as a picture in the store of documents."""
    picture = await preview(_SEAL.encode(), {}, {}, at=datetime(2026, 1, 1, tzinfo=UTC), ppi=300)
    sha256 = await Files(house, organisation.id).put(picture, "image/png")
    async with unit(house) as work:
        await organisations.change_company(
            work, organisation.id, replace(COMPANY, seal_sha256=sha256)
        )
