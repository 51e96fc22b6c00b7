"""The events by which LINE tells of what people do, in the shapes of its description."""

from dataclasses import dataclass
from uuid import uuid4

from tests.fakes.line.description import Json
from tests.fakes.line.state import Channel, Content, ReplyToken, Said, id_of
from tests.fakes.line.world import World


@dataclass(slots=True)
class Events:
    """Makes events of one channel: what happened is in the chat, and nothing is sent yet."""

    world: World
    channel: Channel

    # -- messages ----------------------------------------------------------------------------------

    def text(
        self,
        text: str,
        user: str,
        chat: str | None = None,
        *,
        mention: bool = False,
        quote: Said | None = None,
    ) -> Json:
        """A text. `mention` puts the bot's name before it, as a mention."""
        mentioned = f"@{self.channel.name}"
        content: Json = {"type": "text", "text": f"{mentioned} {text}" if mention else text}
        if mention:
            bot = {"type": "user", "userId": self.channel.destination, "isSelf": True}
            named = {"index": 0, "length": len(mentioned.encode("utf-16-le")) // 2}
            content["mention"] = {"mentionees": [bot | named]}
        if quote is not None:
            content["quotedMessageId"] = quote.id
        return self._message(content, user, chat)

    def image(self, data: bytes, user: str, chat: str | None = None, **image_set: object) -> Json:
        """A photo (LINE makes JPEGs of all). `image_set`: id, index and total of several."""
        content: Json = {"type": "image", "contentProvider": {"type": "line"}}
        if image_set:
            content["imageSet"] = image_set
        return self._message(content, user, chat, Content(data, "image/jpeg"))

    def file(self, name: str, data: bytes, user: str, chat: str | None = None) -> Json:
        content = {"type": "file", "fileName": name, "fileSize": len(data)}
        return self._message(content, user, chat, Content(data, "application/octet-stream"))

    def audio(self, user: str, chat: str | None = None, seconds: float = 3.0) -> Json:
        content = {"type": "audio", "duration": int(seconds * 1000)}
        content |= {"contentProvider": {"type": "line"}}
        return self._message(content, user, chat, Content(b"\0" * 64, "audio/x-m4a"))

    def video(self, user: str, chat: str | None = None, seconds: float = 3.0) -> Json:
        content = {"type": "video", "duration": int(seconds * 1000)}
        content |= {"contentProvider": {"type": "line"}}
        return self._message(content, user, chat, Content(b"\0" * 64, "video/mp4"))

    def sticker(self, user: str, chat: str | None = None) -> Json:
        content: Json = {"type": "sticker", "packageId": "446", "stickerId": "1988"}
        content |= {"stickerResourceType": "STATIC", "keywords": ["cony", "sally"]}
        return self._message(content, user, chat)

    def location(self, user: str, chat: str | None = None) -> Json:
        content: Json = {"type": "location", "title": "東京駅", "address": "東京都千代田区丸の内1"}
        return self._message(content | {"latitude": 35.68, "longitude": 139.76}, user, chat)

    def _message(
        self, content: Json, user: str, chat: str | None, bytes_of: Content | None = None
    ) -> Json:
        world, channel = self.world, self.channel
        place = channel.place(chat or user)
        said = Said(channel.next_message(), place, id_of(user), "person", content, world.now())
        content["id"] = said.id
        if content["type"] in ("text", "image", "video", "sticker"):
            content["quoteToken"] = said.quote_token = f"quote-{said.id}"
        if bytes_of is not None:
            channel.contents[said.id] = bytes_of
        channel.chat(place).messages.append(said)
        return self.event("message", user, chat, message=content)

    # -- other events ------------------------------------------------------------------------------

    def postback(
        self, data: str, user: str, chat: str | None = None, params: Json | None = None
    ) -> Json:
        """A press; `params` is what a date picker or a rich menu switch adds."""
        postback = {"data": data} | ({"params": params} if params else {})
        return self.event("postback", user, chat, postback=postback)

    def follow(self, user: str) -> Json:
        """A person adds the account as a friend, or unblocks it."""
        person = self.channel.user(user)
        again = person.blocked
        person.friend, person.blocked = True, False
        return self.event("follow", user, follow={"isUnblocked": again})

    def unfollow(self, user: str) -> Json:
        """A person blocks the account."""
        self.channel.user(user).blocked = True
        return self.event("unfollow", user, token=False)

    def join(self, group: str) -> Json:
        """The bot is invited into a group."""
        self.channel.group(group).bot_in = True
        return self.event("join", None, group)

    def leave(self, group: str) -> Json:
        """The bot is removed from a group."""
        self.channel.group(group).bot_in = False
        return self.event("leave", None, group, token=False)

    def member_joined(self, user: str, group: str) -> Json:
        self.channel.group(group, (user,))
        members = [{"type": "user", "userId": id_of(user)}]
        return self.event("memberJoined", None, group, joined={"members": members})

    def member_left(self, user: str, group: str) -> Json:
        self.channel.group(group).members.discard(id_of(user))
        members = [{"type": "user", "userId": id_of(user)}]
        return self.event("memberLeft", None, group, token=False, left={"members": members})

    def unsend(self, said: Said) -> Json:
        """A person takes back what they sent: its bytes are gone too."""
        said.unsent = True
        self.channel.contents.pop(said.id, None)
        chat = None if said.chat == said.by else said.chat
        return self.event("unsend", said.by, chat, token=False, unsend={"messageId": said.id})

    def account_link(self, user: str, nonce: str, result: str = "ok") -> Json:
        return self.event("accountLink", user, link={"result": result, "nonce": nonce})

    def event(
        self,
        kind: str,
        user: str | None,
        chat: str | None = None,
        *,
        token: bool = True,
        **content: object,
    ) -> Json:
        """An event of any kind, with a reply token unless told otherwise."""
        world, channel = self.world, self.channel
        place = channel.place(chat or user or "")
        event: Json = {
            "type": kind,
            "mode": "active",
            "timestamp": int(world.now() * 1000),
            "source": self._source(place, user),
            "webhookEventId": "01" + uuid4().hex[:24].upper(),
            "deliveryContext": {"isRedelivery": False},
            **content,
        }
        if token:
            event["replyToken"] = uuid4().hex
            channel.replies[event["replyToken"]] = ReplyToken(place, world.now())
        return event

    def _source(self, place: str, user: str | None) -> Json:
        person = {} if user is None else {"userId": self.channel.user(user).id}
        group = self.channel.groups.get(place)
        if group is None:
            return {"type": "user", **person}
        group.members |= set(person.values())
        return {"type": group.kind, f"{group.kind}Id": place, **person}
