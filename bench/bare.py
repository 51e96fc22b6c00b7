"""The bare libraries, as their own documentation has them. Imports nothing of the product's."""

import re
import socket
from time import monotonic_ns
from typing import Any

import uvicorn
from arq import ArqRedis, Worker, func
from fastapi import FastAPI, Request, Response
from redis.asyncio import ConnectionPool
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bench.children import Life, until_stopped

BARE_QUEUE = "bench:bare"
BARE_SEEN = "bench:bare:seen:"
ARQ_POLL = 0.5
"""Seconds: arq's default."""


async def bare_bolt(life: Life, listening: socket.socket, secret: str, *, at_once: bool) -> None:
    """A child: Bolt behind FastAPI, as in its documentation, that answers and stores nothing."""
    app = AsyncApp(signing_secret=secret, authorize=_authorize, process_before_response=at_once)

    @app.command("/miyabi")
    async def answer(ack: AsyncAck) -> None:
        await ack("受け付けました。進み具合はスレッドでお知らせします。")

    @app.action(re.compile(""))
    async def acknowledge(ack: AsyncAck) -> None:
        await ack()

    handler = AsyncSlackRequestHandler(app)
    web = FastAPI()

    @web.post("/slack/events")
    async def events(request: Request) -> Response:
        return await handler.handle(request)

    config = uvicorn.Config(
        web, http="httptools", log_config=None, access_log=False, lifespan="off"
    )
    life.ready()
    await until_stopped(life, uvicorn.Server(config).serve(sockets=[listening]))


async def _authorize(enterprise_id: str | None, team_id: str, user_id: str) -> AuthorizeResult:
    return AuthorizeResult(
        enterprise_id=enterprise_id, team_id=team_id, bot_token="xoxb-bench", bot_user_id="U0BOT"
    )


async def bare_line(
    life: Life, listening: socket.socket, api_url: str, token: str, secret: str
) -> None:
    """A child: line-bot-sdk behind FastAPI, as its example has it: parse, reply, then 200."""
    from linebot.v3 import WebhookParser
    from linebot.v3.messaging import (
        AsyncApiClient,
        AsyncMessagingApi,
        Configuration,
        ReplyMessageRequest,
        TextMessage,
    )
    from linebot.v3.webhooks import MessageEvent

    parser = WebhookParser(secret)
    api = AsyncMessagingApi(AsyncApiClient(Configuration(access_token=token, host=api_url)))
    web = FastAPI()

    @web.post("/line/webhook")
    async def callback(request: Request) -> Response:
        body = (await request.body()).decode()
        for event in parser.parse(body, request.headers["x-line-signature"]):
            if isinstance(event, MessageEvent):
                said = TextMessage(text="受け付けました。")
                await api.reply_message(
                    ReplyMessageRequest(reply_token=event.reply_token, messages=[said])
                )
        return Response("OK")

    config = uvicorn.Config(
        web, http="httptools", log_config=None, access_log=False, lifespan="off"
    )
    life.ready()
    await until_stopped(life, uvicorn.Server(config).serve(sockets=[listening]))
    await api.api_client.close()


def bare_redis(url: str) -> ArqRedis:
    """arq's own pool, also for a socket of this machine."""
    return ArqRedis(ConnectionPool.from_url(url))


async def bare_arq(life: Life, redis_url: str) -> None:
    """A child: a worker as arq's own documentation has it, whose job notes when it began."""
    redis = bare_redis(redis_url)
    worker = Worker(
        functions=[func(_note, name="note")],
        redis_pool=redis,
        queue_name=BARE_QUEUE,
        poll_delay=ARQ_POLL,
        keep_result=0,
        handle_signals=False,
    )
    life.ready()
    await until_stopped(life, worker.main())
    await redis.aclose(close_connection_pool=True)


async def _note(ctx: dict[str, Any], key: str) -> None:
    now = monotonic_ns()
    await ctx["redis"].set(BARE_SEEN + key, now)
