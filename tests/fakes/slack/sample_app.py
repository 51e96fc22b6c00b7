"""A tiny Bolt app that uses each kind of request once, and a web server to put any app behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack.driver import SIGNING_SECRET
from tests.running import at_port


def plain(words: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": words}


def section(words: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": words}}


def button(action_id: str, words: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": plain(words), **more}


CARD = [
    section("見積 *¥110,000*"),
    {"type": "actions", "elements": [button("approve", "承認", value="a1", style="primary")]},
]


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "modal", "callback_id": "form", "title": plain("見積"), "blocks": blocks} | more


def form() -> dict[str, Any]:
    return modal(
        {
            "type": "input",
            "block_id": "customer",
            "label": plain("取引先"),
            "element": {"type": "external_select", "action_id": "customer", "min_query_length": 0},
        },
        {
            "type": "input",
            "block_id": "note",
            "optional": True,
            "label": plain("備考"),
            "element": {"type": "plain_text_input", "action_id": "note", "max_length": 20},
        },
        {"type": "actions", "block_id": "more", "elements": [button("add", "行を追加")]},
        submit=plain("作成"),
        notify_on_close=True,
    )


def make_app(client: AsyncWebClient) -> AsyncApp:
    """A small app that uses each kind of request once."""
    app = AsyncApp(client=client, signing_secret=SIGNING_SECRET, process_before_response=True)
    app.seen = []  # type: ignore[attr-defined]

    @app.command("/miyabi")
    async def command(ack: Any, body: Any, client: Any) -> None:
        if body["text"] == "form":
            await ack()
            loading = modal(section("…"))
            opened = await client.views_open(trigger_id=body["trigger_id"], view=loading)
            await client.views_update(view_id=opened["view"]["id"], view=form())
            return
        await ack(f"承りました：{body['text']}")

    @app.event("app_mention")
    async def mention(event: Any, say: Any, request: Any) -> None:
        app.seen.append((event["type"], request.headers.get("x-slack-retry-num")))  # type: ignore[attr-defined]
        await say(text="カード", blocks=CARD, thread_ts=event["ts"])

    @app.event("message")
    async def message(event: Any) -> None:
        app.seen.append((event["channel_type"], event["text"]))  # type: ignore[attr-defined]

    @app.event("app_home_opened")
    async def home(event: Any, client: Any) -> None:
        view = {"type": "home", "blocks": [section("待っているもの")]}
        await client.views_publish(user_id=event["user"], view=view)

    @app.action("approve")
    async def approve(ack: Any, body: Any, client: Any) -> None:
        await ack()
        place = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
        done = f"承認：<@{body['user']['id']}> {body['actions'][0]['value']}"
        await client.chat_update(**place, text=done, blocks=[section(done)])

    @app.action("add")
    async def add(ack: Any, body: Any, client: Any) -> None:
        await ack()
        view, first = body["view"], form()
        assert view["state"]["values"]["note"]["note"]["value"] == "急ぎ"
        first["blocks"] = [*first["blocks"], {"type": "divider"}]
        await client.views_update(view_id=view["id"], hash=view["hash"], view=first)

    @app.options("customer")
    async def customers(ack: Any, payload: Any) -> None:
        names = [n for n in ("株式会社ABC商事", "山田製作所") if payload["value"] in n]
        await ack(options=[{"text": plain(n), "value": n} for n in names])

    @app.view("form")
    async def submitted(ack: Any, view: Any) -> None:
        values = view["state"]["values"]
        app.seen.append(values["customer"]["customer"]["selected_option"]["value"])  # type: ignore[attr-defined]
        if values["note"]["note"]["value"] == "だめ":
            await ack(response_action="errors", errors={"note": "別の言葉で"})
        else:
            await ack()

    @app.view_closed("form")
    async def closed(ack: Any) -> None:
        await ack()
        app.seen.append("closed")  # type: ignore[attr-defined]

    @app.shortcut("quote_from_this")
    async def shortcut(ack: Any, shortcut: Any, client: Any) -> None:
        await ack()
        place = {"channel": shortcut["channel"]["id"], "user": shortcut["user"]["id"]}
        await client.chat_postEphemeral(**place, text=shortcut["message"]["text"])

    return app


@asynccontextmanager
async def serving(app: AsyncApp) -> AsyncIterator[str]:
    """Put an app behind FastAPI and uvicorn on a free port; gives its address."""
    web = FastAPI()
    handler = AsyncSlackRequestHandler(app)

    @web.post("/slack/events")
    async def events(request: Request) -> Response:
        return await handler.handle(request)

    async with at_port(web) as url:
        yield url
