"""The fake LINE itself: the real client speaks to it, and it keeps LINE's rules."""

import base64
import json
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from linebot.v3 import SignatureValidator
from linebot.v3.messaging import (
    ApiException,
    AsyncApiClient,
    AsyncMessagingApi,
    AsyncMessagingApiBlob,
    Configuration,
    models,
)
from linebot.v3.messaging.models import (
    Message,
    PushMessageRequest,
    ReplyMessageRequest,
    RichMenuRequest,
    ShowLoadingAnimationRequest,
)
from linebot.v3.oauth import AsyncApiClient as TokenClient
from linebot.v3.oauth import AsyncChannelAccessToken
from linebot.v3.oauth import Configuration as TokenConfiguration
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.fakes.line.description import SPECS, description
from tests.fakes.line.driver import NoSuchButton
from tests.fakes.line.reading import buttons, words
from tests.fakes.line.routes import ROUTES, TOKEN_ROUTES
from tests.fakes.line.sample import HELLO, card, postback
from tests.fakes.line.server import FakeLine
from tests.fakes.line.signing import sign
from tests.running import at_port

described = pytest.mark.skipif(
    description("messaging-api") is None, reason="LINE's description is not here"
)


@pytest.fixture
async def line() -> AsyncIterator[FakeLine]:
    async with FakeLine() as fake:
        fake.home.user("花子")
        fake.home.group("営業", ("花子", "一郎"))
        yield fake


@pytest.fixture
async def api(line: FakeLine) -> AsyncIterator[AsyncMessagingApi]:
    settings = Configuration(access_token=line.home.token, host=line.api_url)
    async with AsyncApiClient(settings) as client:
        yield AsyncMessagingApi(client)


async def push(
    api: AsyncMessagingApi,
    line: FakeLine,
    *messages: dict[str, Any],
    to: str = "花子",
    key: str | None = None,
) -> Any:
    said = [Message.from_dict(message) for message in messages]
    request = PushMessageRequest(to=line.home.place(to), messages=said)
    return await api.push_message(request, x_line_retry_key=key)


@described
def test_the_routes_are_those_of_the_description() -> None:
    for name, routes in (("messaging-api", ROUTES), ("channel-access-token", TOKEN_ROUTES)):
        known = description(name)
        assert known is not None
        for operation, (method, path) in routes.items():
            assert known.operations[operation][:2] == (method.lower(), path)


async def test_a_reply_token_works_once_and_for_a_minute(
    line: FakeLine, api: AsyncMessagingApi
) -> None:
    make = line.driver("http://127.0.0.1:1").make
    first, second = (make.text("見積", "花子")["replyToken"] for _ in range(2))

    async def reply(token: str) -> Any:
        return await api.reply_message(
            ReplyMessageRequest(reply_token=token, messages=[Message.from_dict(HELLO)])
        )

    sent = await reply(first)
    assert [m.how for m in line.home.chat("花子").messages] == ["person", "person", "reply"]
    assert line.said("花子", "🍣")[0].id == sent.sent_messages[0].id
    line.pass_time(70)
    for token in (first, second):
        with pytest.raises(ApiException) as caught:
            await reply(token)
        assert json.loads(caught.value.body) == {"message": "Invalid reply token"}
    assert line.home.used == 0
    assert line.violations == []


async def test_a_retry_key_is_remembered_and_people_are_counted(
    line: FakeLine, api: AsyncMessagingApi
) -> None:
    key = str(uuid4())
    line.fail_next("pushMessage", status=500, after=True)
    with pytest.raises(ApiException) as caught:
        await push(api, line, HELLO, HELLO, key=key)
    assert caught.value.status == 500
    with pytest.raises(ApiException) as caught:
        await push(api, line, HELLO, HELLO, key=key)
    assert caught.value.status == 409
    assert caught.value.headers["x-line-accepted-request-id"] == line.calls[0].id
    sent = json.loads(caught.value.body)["sentMessages"]
    assert [each["id"] for each in sent] == [m.id for m in line.said("花子")]
    await push(api, line, HELLO, to="営業")
    assert line.home.used == 3  # the first push, and two people in the group
    line.home.quota = 4
    with pytest.raises(ApiException) as caught:
        await push(api, line, HELLO, to="営業")
    assert caught.value.status == 429
    assert "monthly limit" in str(caught.value.body)
    line.fail_next("pushMessage", status=429)
    with pytest.raises(ApiException) as caught:
        await push(api, line, HELLO)
    assert "rate limit" in str(caught.value.body)
    line.home.user("花子").blocked = True
    await push(api, line, HELLO)
    assert (len(line.said("花子")), line.home.used) == (2, 3)
    with pytest.raises(ApiException) as caught:
        await push(api, line, HELLO, to="誰も知らない")
    assert caught.value.status == 400
    line.pass_time(25 * 3600)
    line.home.quota = None
    line.home.user("花子").blocked = False
    await push(api, line, HELLO, HELLO, key=key)
    assert line.violations == []


async def test_outages(line: FakeLine, api: AsyncMessagingApi) -> None:
    await api.get_bot_info()
    await line.go_away()
    with pytest.raises(Exception, match="connect"):
        await api.get_bot_info()
    await line.come_back()
    assert (await api.get_bot_info()).user_id == line.home.destination
    line.fail_next("*", status=503, times=2)
    for _ in range(2):
        with pytest.raises(ApiException):
            await api.get_message_quota()
    assert (await api.get_message_quota()).value == 5000
    line.pass_time(1)
    line.home.tokens.clear()
    with pytest.raises(ApiException) as caught:
        await api.get_message_quota_consumption()
    assert caught.value.status == 401


async def test_tokens_are_issued_and_end(line: FakeLine) -> None:
    async with TokenClient(TokenConfiguration(host=line.api_url)) as client:
        tokens = AsyncChannelAccessToken(client)
        known = {"client_id": line.home.id, "client_secret": line.home.secret}
        issued = await tokens.issue_stateless_channel_token(
            grant_type="client_credentials", **known
        )
        assert (await tokens.verify_channel_token(issued.access_token)).client_id == line.home.id
        line.pass_time(900)
        assert line.world.by_token(issued.access_token) is None
        short = await tokens.issue_channel_token("client_credentials", **known)
        await tokens.revoke_channel_token(short.access_token)
        assert line.world.by_token(short.access_token) is None
    assert line.violations == []


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(b"\0" + b"\xff" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


async def test_rich_menus_profiles_and_the_loading_animation(
    line: FakeLine, api: AsyncMessagingApi
) -> None:
    area = {"bounds": {"x": 0, "y": 0, "width": 400, "height": 540}}
    area["action"] = {"type": "message", "label": "承認待ち", "text": "承認待ち"}  # type: ignore[dict-item]
    menu = {"size": {"width": 800, "height": 540}, "selected": True, "name": "ja"}
    menu |= {"chatBarText": "メニュー", "areas": [area]}
    made = (await api.create_rich_menu(RichMenuRequest.from_dict(menu))).rich_menu_id
    user = line.home.user("花子", language="zh-Hant")
    with pytest.raises(ApiException):  # no picture yet
        await api.set_default_rich_menu(made)
    blobs = AsyncMessagingApiBlob(api.api_client)
    headers = {"Content-Type": "image/png"}
    await blobs.set_rich_menu_image(made, body=png(800, 540), _headers=headers)
    await api.set_default_rich_menu(made)
    await api.link_rich_menu_id_to_user(user.id, made)
    assert [found.rich_menu_id for found in (await api.get_rich_menu_list()).richmenus] == [made]
    assert (await api.get_profile(user.id)).language == "zh-Hant"
    assert (await api.get_group_summary(line.home.place("営業"))).group_name == "営業"
    loading = ShowLoadingAnimationRequest(chat_id=user.id, loading_seconds=20)
    await api.show_loading_animation(loading)
    assert line.home.chat("花子").loading_until > line.world.now()
    sent = line.driver("http://127.0.0.1:1").make.file("領収書.pdf", b"%PDF-1.7", "花子")
    assert await blobs.get_message_content(sent["message"]["id"]) == b"%PDF-1.7"
    assert line.violations == []


async def test_people_act_and_the_app_hears_it_signed(
    line: FakeLine, api: AsyncMessagingApi
) -> None:
    heard: list[dict[str, Any]] = []

    async def webhook(request: Request) -> Response:
        body = await request.body()
        signature = request.headers["x-line-signature"]
        if not SignatureValidator(line.home.secret).validate(body.decode(), signature):
            return PlainTextResponse("", 400)
        heard.extend(json.loads(body)["events"])
        return PlainTextResponse("")

    app = Starlette(routes=[Route("/line/webhook", webhook, methods=["POST"])])
    async with at_port(app) as url:
        people = line.driver(url)
        assert (await people.say("見積 🍣", "花子", "営業", mention=True)).ok
        picker = {"type": "datetimepicker", "label": "納期", "data": "d1", "mode": "date"}
        site = {"type": "uri", "label": "PDF", "uri": "https://x.example/d"}
        quick = {"items": [{"type": "action", "action": postback("月末", "q1")}]}
        message = card(postback("承認"), picker, site) | {"quickReply": quick}
        await push(api, line, message)
        shown = line.said("花子")[0]
        assert words(shown) == "合計 244,200円\n[承認]\n[納期]\n[PDF]"
        assert [button.label for button in buttons(shown)] == ["承認", "納期", "PDF", "月末"]
        await people.quick("月末", "花子")
        await people.press(shown, "承認")
        await people.press(shown, "納期", date="2026-12-25")
        with pytest.raises(NoSuchButton):
            await people.press(shown, "PDF")
        with pytest.raises(NoSuchButton):  # something was said since
            await people.quick("月末", "花子")
        await people.deliver(people.make.image(b"jpg", "花子"), people.make.sticker("花子"))
        await people.unfollow("花子")
        again = await people.redeliver(heard[0])
        assert again.ok
        assert (await people.deliver()).ok
        assert not (await people.raw(b"{}", {"x-line-signature": "x"})).ok
        tried = await api.test_webhook_endpoint(
            models.TestWebhookEndpointRequest(endpoint=f"{url}/line/webhook")
        )
        assert tried.success
    mention = heard[0]["message"]["mention"]["mentionees"][0]
    assert (mention["isSelf"], mention["length"]) == (True, len("@みやび商会"))
    kinds = "message postback postback postback message message unfollow message"
    assert [event["type"] for event in heard] == kinds.split()
    assert [e["postback"].get("params") for e in heard[1:4]] == [None, None, {"date": "2026-12-25"}]
    assert heard[-1]["deliveryContext"] == {"isRedelivery": True}
    assert line.violations == []


@described
def test_the_signature_is_that_of_lines_example() -> None:
    example = json.loads((SPECS / "samples" / "line-request-signing.json").read_text())
    signature = sign(example["channel_secret"], example["body"].encode())
    assert signature == example["headers"]["x-line-signature"]
    assert base64.b64decode(signature)
