"""Stopping the summaries by one click (RFC 8058): a POST to the address in List-Unsubscribe.

The address holds all there is to know, sealed: whose summaries, and in which organisation. Looking
at it stops nothing, as programs look at every link.
"""

from functools import partial
from html import escape
from typing import TYPE_CHECKING
from uuid import UUID

from audit.event import Actor
from core import preferences
from core.db import execute, fetch_all, fetch_one
from core.house import House
from core.inbound import Sender
from core.people import spell
from core.platform import Opening
from core.ports import Place
from core.preferences import Mute
from core.sealed_links import read_sealed, sealed_link
from core.unit import unit
from core.words import Words, as_language

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

PLATFORM = "email"
PATH = "/email/stop/"
_USE = b"miyabi: unsubscribing"

STOP = Words(ja="まとめのメールを止める", en="Stop the summaries", zh="停止汇总邮件")
STOPPED = Words(
    ja="まとめのメールを止めました。承認のお願いなど、ほかのメールは届きます。",
    en="You get no more summaries. Other mails, such as requests for approval, still come.",
    zh="已停止汇总邮件。审批请求等其他邮件仍会送达。",
)
NO_SUCH = Words(ja="このリンクは使えません。", en="This link does nothing.", zh="此链接无效。")


def unsubscribe_link(house: House, place: Place) -> str | None:
    """Where a POST stops the summaries to an address; None without a public address."""
    content = place.organisation_id.bytes + place.channel.lower().encode()
    return sealed_link(house, PATH, _USE, content)


def read_token(house: House, token: str) -> tuple[UUID, str] | None:
    """The organisation and address it is of; None for whatever we did not make."""
    content = read_sealed(house, _USE, token)
    if content is None:
        return None
    return UUID(bytes=content[:16]), content[16:].decode()


async def stop(house: House, organisation_id: UUID, address: str) -> None:
    """No more summaries there. Of somebody known it is also kept, and shown, as what they chose of
    their notifications (`unmute digest` takes it back)."""
    async with unit(house) as work:
        known = await fetch_one(
            work.connection,
            "select id from organisations where id = :organisation_id",
            {"organisation_id": organisation_id},
        )
        if known is None:
            return
        await execute(
            work.connection,
            "insert into mail_addresses (organisation_id, address, no_digests)"
            " values (:organisation_id, :address, true)"
            " on conflict (organisation_id, address) do update set no_digests = true",
            {"organisation_id": organisation_id, "address": address},
        )
        rows = await fetch_all(
            work.connection,
            "select workspace, person_id from accounts where organisation_id = :organisation_id"
            " and platform = :platform and lower(external_id) = :address",
            {"organisation_id": organisation_id, "platform": PLATFORM, "address": address},
        )
        for row in rows:
            account = spell(Sender(PLATFORM, row.workspace, address))
            await preferences.change(
                work,
                organisation_id,
                row.person_id,
                partial(preferences.with_mute, mute=Mute("digest", channel=PLATFORM)),
                actor=Actor(row.person_id, account, PLATFORM),
            )


def routes(opening: Opening) -> "list[Route]":
    """The page that offers it, and the POST that does it."""
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    async def page(request: "Request") -> "Response":
        language = as_language(request.headers.get("accept-language", "").partition(",")[0])
        found = read_token(opening.house, request.path_params["token"])
        if found is None:
            return HTMLResponse(_page(NO_SUCH.to(language), ""), 404, _HEADERS)
        if request.method != "POST":
            button = f'<form method="post"><button>{escape(STOP.to(language))}</button></form>'
            return HTMLResponse(_page(escape(found[1]), button), 200, _HEADERS)
        await stop(opening.house, *found)
        return HTMLResponse(_page(STOPPED.to(language), ""), 200, _HEADERS)

    return [Route(f"{PATH}{{token}}", page, methods=["GET", "POST"])]


_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": "default-src 'none'; form-action 'self'"}  # fmt: skip


def _page(words: str, more: str) -> str:
    return (
        '<!doctype html><html><head><meta charset="utf-8"><meta name="viewport"'
        ' content="width=device-width, initial-scale=1"><title>Miyabi</title></head>'
        f"<body><p>{words}</p>{more}</body></html>"
    )
