"""The rich menus of a channel: made once for each language, the company's for all, and each linked
person's own."""

import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import structlog

from bot.line.channels import Channels
from bot.line.refusals import LineRefused
from core.errors import MiyabiError
from core.words import LANGUAGES, Language

log = structlog.get_logger()

OURS = "miyabi"
_MANY = 500  # people that one call links (link-rich-menu-to-users of the reference)
_KNOWN_FOR = 600.0  # seconds


class Menu(Protocol):
    """What a rich menu shows: LINE's JSON of it, and its picture (PNG or JPEG, at most 1 MB)."""

    @property
    def body(self) -> Mapping[str, Any]: ...
    @property
    def image(self) -> bytes: ...
    @property
    def media_type(self) -> str: ...


class Menus:
    """Makes them, and shows each person theirs."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._known: dict[str, tuple[float, Mapping[Language, str]]] = {}

    async def set_up(
        self,
        workspace: str,
        wanted: Mapping[Language, Menu],
        default: Language,
        people: Mapping[Language, Sequence[str]],
    ) -> int:
        """Make the menus that are not there yet, give everybody theirs, and clear the old ones
        away; gives how many were made. Done again, it changes nothing.

        `default` is for whoever is not linked. Raises Permanent or TryLater.
        """
        there = await self._there(workspace)
        made: dict[Language, str] = {}
        new = 0
        for language, menu in wanted.items():
            name = _name(language, menu)
            if name not in there:
                there[name] = await self._make(workspace, name, menu)
                new += 1
            made[language] = there[name]
        await self._ask(
            workspace, lambda line, given: line.set_default_rich_menu(made[default], **given)
        )
        for language, accounts in people.items():
            for n in range(0, len(accounts), _MANY):
                await self._link(workspace, made[language], accounts[n : n + _MANY])
        for name, menu_id in there.items():
            if menu_id not in made.values():
                await self._delete(workspace, menu_id)
                log.info("line.menu_deleted", channel=workspace, menu=name)
        self._known[workspace] = (time.monotonic(), made)
        return new

    async def show(self, workspace: str, account: str, language: Language) -> None:
        """Give one person the menu of their language, where there is one. Failing, it is logged:
        they have the one for everybody meanwhile."""
        try:
            menu_id = (await self._by_language(workspace)).get(language)
            if menu_id is not None:
                await self._ask(
                    workspace,
                    lambda line, given: line.link_rich_menu_id_to_user(account, menu_id, **given),
                )
        except MiyabiError as error:
            log.warning("line.menu_not_shown", channel=workspace, why=error.words.en)

    async def default(self, workspace: str) -> str | None:
        """The menu for everybody, if one is set."""
        try:
            found = await self._ask(
                workspace, lambda line, given: line.get_default_rich_menu_id(**given)
            )
        except LineRefused as refused:
            if refused.status == 404:
                return None
            raise
        return str(found.rich_menu_id)

    async def _by_language(self, workspace: str) -> Mapping[Language, str]:
        at, known = self._known.get(workspace, (float("-inf"), {}))
        if time.monotonic() - at > _KNOWN_FOR:
            there = await self._there(workspace)
            known = {
                language: menu_id
                for language in LANGUAGES
                for name, menu_id in there.items()
                if name.split()[1] == language
            }
            self._known[workspace] = (time.monotonic(), known)
        return known

    async def _there(self, workspace: str) -> dict[str, str]:
        """Our menus of the channel by their names."""
        listed = await self._ask(workspace, lambda line, given: line.get_rich_menu_list(**given))
        found: dict[str, str] = {}
        for each in listed.richmenus:
            name = str(each.name)
            if name.split()[:1] == [OURS] and len(name.split()) == 3:
                found[name] = str(each.rich_menu_id)
        return found

    async def _make(self, workspace: str, name: str, wanted: Menu) -> str:
        """Make a menu with its picture. Without one it would never be shown, and would be taken
        for made the next time: it goes again where the picture is refused."""

        def create(line: Any, given: Mapping[str, Any]) -> Awaitable[Any]:
            from linebot.v3.messaging import RichMenuRequest

            body = RichMenuRequest.from_dict({**wanted.body, "name": name})
            return line.create_rich_menu(body, **given)  # type: ignore[no-any-return]

        menu_id = str((await self._ask(workspace, create)).rich_menu_id)
        api = self._channels.api
        try:
            await self._channels.speak(
                workspace,
                lambda token: api.ask_data(
                    token,
                    lambda line, given: line.set_rich_menu_image(
                        menu_id,
                        body=wanted.image,
                        _headers={"Content-Type": wanted.media_type},
                        **given,
                    ),
                ),
            )
        except MiyabiError:
            await self._delete(workspace, menu_id)
            raise
        return menu_id

    async def _link(self, workspace: str, menu_id: str, accounts: Sequence[str]) -> None:
        def call(line: Any, given: Mapping[str, Any]) -> Awaitable[Any]:
            from linebot.v3.messaging import RichMenuBulkLinkRequest

            body = RichMenuBulkLinkRequest(richMenuId=menu_id, userIds=list(accounts))
            return line.link_rich_menu_id_to_users(body, **given)  # type: ignore[no-any-return]

        await self._ask(workspace, call)

    async def _delete(self, workspace: str, menu_id: str) -> None:
        await self._ask(workspace, lambda line, given: line.delete_rich_menu(menu_id, **given))

    async def _ask(
        self, workspace: str, call: Callable[[Any, Mapping[str, Any]], Awaitable[Any]]
    ) -> Any:
        api = self._channels.api
        return await self._channels.speak(workspace, lambda token: api.ask(token, call))


def _name(language: Language, wanted: Menu) -> str:
    """What a menu is called at LINE: another content is another menu."""
    content = json.dumps(wanted.body, sort_keys=True, ensure_ascii=False).encode()
    mark = hashlib.sha256(content + b"\0" + wanted.image).hexdigest()[:16]
    return f"{OURS} {language} {mark}"
