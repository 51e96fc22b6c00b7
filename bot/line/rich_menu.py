"""The rich menu below the chat: what it looks like, and what each of its parts says."""

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources

from bot.line.flex import Json
from core.typeset import preview
from core.words import Language, Words

WIDTH, HEIGHT = 2_500, 1_686
"""Pixels; one of the sizes for which LINE has templates."""
_UPPER = HEIGHT // 2
_THIRD = WIDTH // 3


@dataclass(frozen=True, slots=True)
class Menu:
    """A rich menu as LINE takes it, and its picture."""

    body: Json
    image: bytes
    media_type: str = "image/png"


@dataclass(frozen=True, slots=True)
class _Area:
    """One part: where it is, what stands on it, and what it says for whoever presses it."""

    icon: str
    x: int
    y: int
    width: int
    label: Words
    says: Words


_AREAS = (
    _Area(
        "quote", 0, 0, _THIRD,
        Words(ja="見積", en="Quote", zh="报价"), Words(ja="見積", en="quote", zh="报价"),
    ),
    _Area(
        "expense", _THIRD, 0, WIDTH - 2 * _THIRD,
        Words(ja="経費", en="Expense", zh="报销"), Words(ja="経費", en="expense", zh="报销"),
    ),
    _Area(
        "approvals", WIDTH - _THIRD, 0, _THIRD,
        Words(ja="承認待ち", en="Approvals", zh="待审批"),
        Words(ja="承認待ち", en="approvals", zh="待审批"),
    ),
    _Area(
        "tasks", 0, _UPPER, _THIRD,
        Words(ja="自分の依頼", en="My tasks", zh="我的任务"),
        Words(ja="一覧", en="mine", zh="我的"),
    ),
    _Area(
        "notify", _THIRD, _UPPER, WIDTH - 2 * _THIRD,
        Words(ja="通知", en="Notices", zh="通知"),
        Words(ja="通知設定", en="notify", zh="通知设置"),
    ),
    _Area(
        "help", WIDTH - _THIRD, _UPPER, _THIRD,
        Words(ja="ヘルプ", en="Help", zh="帮助"), Words(ja="ヘルプ", en="help", zh="帮助"),
    ),
)  # fmt: skip
_BAR = Words(ja="メニュー", en="Menu", zh="菜单")


async def menu(language: Language) -> Menu:
    """The menu in one language. The same each time, so that a change of it can be seen."""
    areas = [_bounds(area) for area in _AREAS]
    shown = [
        {"icon": area.icon, "label": area.label.to(language), **bounds}
        for area, bounds in zip(_AREAS, areas, strict=True)
    ]
    template = resources.files(__package__).joinpath("rich_menu.typ").read_bytes()
    data = {"width": WIDTH, "height": HEIGHT, "areas": shown}
    image = await preview(template, data, {}, at=datetime(2026, 1, 1, tzinfo=UTC), ppi=72)
    return Menu(_body(language, areas), image)


def _body(language: Language, areas: list[dict[str, int]]) -> Json:
    return {
        "size": {"width": WIDTH, "height": HEIGHT},
        "selected": True,
        "name": f"Miyabi {language}",
        "chatBarText": _BAR.to(language),
        "areas": [
            {"bounds": bounds, "action": _action(area, language)}
            for area, bounds in zip(_AREAS, areas, strict=True)
        ],
    }


def _bounds(area: _Area) -> dict[str, int]:
    height = _UPPER if area.y == 0 else HEIGHT - _UPPER
    return {"x": area.x, "y": area.y, "width": area.width, "height": height}


def _action(area: _Area, language: Language) -> Json:
    """As if they had typed it: the menu then needs nothing of its own to be understood."""
    said = area.says.to(language)
    return {"type": "message", "label": area.label.to(language), "text": said}
