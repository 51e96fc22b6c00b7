"""Rich menus: made, given a picture, and shown to everybody or to one person."""

from tests.fakes.line.actions_check import check_action
from tests.fakes.line.description import Json
from tests.fakes.line.limits import (
    MENU_AREAS,
    MENU_HEIGHT,
    MENU_IMAGE_BYTES,
    MENU_RATIO,
    MENU_WIDTH,
)
from tests.fakes.line.state import Channel, Menu
from tests.fakes.line.world import Answer, Ask, LineError, Operation


def check_menu(menu: Json) -> list[str]:
    """What LINE would refuse in a rich menu."""
    found = [
        f"{name}: is missing"
        for name in ("size", "selected", "name", "chatBarText", "areas")
        if name not in menu
    ]
    if found:
        return found
    width, height = menu["size"]["width"], menu["size"]["height"]
    if not MENU_WIDTH[0] <= width <= MENU_WIDTH[1] or height < MENU_HEIGHT:
        found.append(f"size: {width} x {height}")
    if width / height < MENU_RATIO:
        found.append(f"size: {width} x {height} is higher than a ratio of {MENU_RATIO}")
    if len(menu["areas"]) > MENU_AREAS:
        found.append(f"areas: {len(menu['areas'])}, over {MENU_AREAS}")
    for number, area in enumerate(menu["areas"]):
        at, bounds = f"areas[{number}]", area["bounds"]
        if bounds["x"] + bounds["width"] > width or bounds["y"] + bounds["height"] > height:
            found.append(f"{at}.bounds: outside of the menu")
        found += check_action(area["action"], "menu", f"{at}.action")
    return found


def _menu(ask: Ask) -> Menu:
    menu = ask.channel.menus.get(ask.call.values.get("richMenuId", ""))
    if menu is None:
        raise LineError(404, "richmenu not found")
    return menu


def _shown(ask: Ask, menu_id: str) -> str:
    """The id of a menu that can be shown. Raises LineError."""
    menu = ask.channel.menus.get(menu_id)
    if menu is None:
        raise LineError(404, "richmenu not found")
    if menu.image is None:
        raise LineError(400, "must upload richmenu image before applying it to user")
    return menu.id


def _json(menu: Menu) -> Json:
    return {"richMenuId": menu.id, **menu.body}


def create(ask: Ask) -> Answer:
    ask.refuse(check_menu(ask.body))
    menu = Menu(ask.channel.next("richmenu-"), ask.body)
    ask.channel.menus[menu.id] = menu
    return Answer({"richMenuId": menu.id})


def validate(ask: Ask) -> Answer:
    ask.refuse(check_menu(ask.body))
    return Answer({})


def get(ask: Ask) -> Answer:
    return Answer(_json(_menu(ask)))


def listed(ask: Ask) -> Answer:
    return Answer({"richmenus": [_json(menu) for menu in ask.channel.menus.values()]})


def delete(ask: Ask) -> Answer:
    menu, channel = _menu(ask), ask.channel
    del channel.menus[menu.id]
    channel.user_menus = {u: m for u, m in channel.user_menus.items() if m != menu.id}
    if channel.default_menu == menu.id:
        channel.default_menu = None
    return Answer({})


def set_image(ask: Ask) -> Answer:
    menu = _menu(ask)
    if menu.image is not None:
        raise LineError(400, "An image has already been uploaded to the richmenu")
    ask.refuse(_check_image(ask.data, ask.media_type, menu.body["size"]))
    menu.image, menu.media_type = ask.data, ask.media_type
    return Answer({})


def _check_image(data: bytes, media_type: str, size: Json) -> list[str]:
    if media_type not in ("image/png", "image/jpeg"):
        return [f"Content-Type: {media_type} is neither image/png nor image/jpeg"]
    found = []
    if len(data) > MENU_IMAGE_BYTES:
        found.append(f"image: {len(data)} bytes, over {MENU_IMAGE_BYTES}")
    drawn = _size(data)
    if drawn is None or data.startswith(b"\x89PNG") != (media_type == "image/png"):
        found.append(f"image: no {media_type}")
    elif drawn != (size["width"], size["height"]):
        found.append(f"image: {drawn}, and the menu is {size}")
    return found


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG (its first chunk) or a JPEG (its frame header)."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 < len(data):
        if 0xC0 <= data[at + 1] <= 0xC3:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None


def image(ask: Ask) -> Answer:
    menu = _menu(ask)
    if menu.image is None:
        raise LineError(404, "Not found")
    return Answer(data=menu.image, media_type=menu.media_type)


def set_default(ask: Ask) -> Answer:
    ask.channel.default_menu = _shown(ask, ask.call.values["richMenuId"])
    return Answer({})


def default(ask: Ask) -> Answer:
    if ask.channel.default_menu is None:
        raise LineError(404, "no default richmenu")
    return Answer({"richMenuId": ask.channel.default_menu})


def no_default(ask: Ask) -> Answer:
    ask.channel.default_menu = None
    return Answer({})


def link(ask: Ask) -> Answer:
    values = ask.call.values
    if values["userId"] not in ask.channel.users:
        raise LineError(400, "The user doesn't exist")
    ask.channel.user_menus[values["userId"]] = _shown(ask, values["richMenuId"])
    return Answer({})


def unlink(ask: Ask) -> Answer:
    ask.channel.user_menus.pop(ask.call.values["userId"], None)
    return Answer({})


def of_user(ask: Ask) -> Answer:
    menu = ask.channel.user_menus.get(ask.call.values["userId"])
    if menu is None:
        raise LineError(404, "the user has no richmenu")
    return Answer({"richMenuId": menu})


def link_many(ask: Ask) -> Answer:
    menu = _shown(ask, ask.body["richMenuId"])
    ask.channel.user_menus |= dict.fromkeys(ask.body["userIds"], menu)
    return Answer({}, 202)


def unlink_many(ask: Ask) -> Answer:
    for user in ask.body["userIds"]:
        ask.channel.user_menus.pop(user, None)
    return Answer({}, 202)


def create_alias(ask: Ask) -> Answer:
    name = ask.body["richMenuAliasId"]
    if name in ask.channel.aliases:
        raise LineError(400, "conflict richmenu alias id")
    ask.channel.aliases[name] = _alias_target(ask)
    return Answer({})


def _alias_target(ask: Ask) -> str:
    if ask.body["richMenuId"] not in ask.channel.menus:
        raise LineError(400, "richmenu not found")
    return str(ask.body["richMenuId"])


def _alias(ask: Ask) -> str:
    name = ask.call.values["richMenuAliasId"]
    if name not in ask.channel.aliases:
        raise LineError(404, "richmenu alias not found")
    return str(name)


def alias(ask: Ask) -> Answer:
    name = _alias(ask)
    return Answer({"richMenuAliasId": name, "richMenuId": ask.channel.aliases[name]})


def update_alias(ask: Ask) -> Answer:
    ask.channel.aliases[_alias(ask)] = _alias_target(ask)
    return Answer({})


def delete_alias(ask: Ask) -> Answer:
    del ask.channel.aliases[_alias(ask)]
    return Answer({})


def aliases(ask: Ask) -> Answer:
    known = ask.channel.aliases.items()
    return Answer({"aliases": [{"richMenuAliasId": n, "richMenuId": m} for n, m in known]})


def menu_of(channel: Channel, user: str) -> Menu | None:
    """The menu that a person sees: their own, else the default."""
    return channel.menus.get(channel.user_menus.get(user) or channel.default_menu or "")


OPERATIONS: dict[str, Operation] = {
    "createRichMenu": create,
    "validateRichMenuObject": validate,
    "getRichMenu": get,
    "getRichMenuList": listed,
    "deleteRichMenu": delete,
    "setRichMenuImage": set_image,
    "getRichMenuImage": image,
    "setDefaultRichMenu": set_default,
    "getDefaultRichMenuId": default,
    "cancelDefaultRichMenu": no_default,
    "linkRichMenuIdToUser": link,
    "unlinkRichMenuIdFromUser": unlink,
    "getRichMenuIdOfUser": of_user,
    "linkRichMenuIdToUsers": link_many,
    "unlinkRichMenuIdFromUsers": unlink_many,
    "createRichMenuAlias": create_alias,
    "getRichMenuAlias": alias,
    "updateRichMenuAlias": update_alias,
    "deleteRichMenuAlias": delete_alias,
    "getRichMenuAliasList": aliases,
}
