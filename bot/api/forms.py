"""A form that a program fills in, as the agent's form takes it."""

from collections.abc import Mapping
from datetime import date

from bot.api.door import Visit
from bot.api.models import FormLine
from bot.api.problems import Problem, away
from core.errors import Permanent, TryLater
from core.forms import FormField, FormSpec, FormValues, LineEntry
from core.inbound import Form
from core.words import Words

Given = Mapping[str, str | list[FormLine] | None]

NO_FORM = Words(
    ja="「{agent}」にはフォームがありません。",
    en="“{agent}” has no form.",
    zh="“{agent}”没有表单。",
)
_NO_FIELD = Words(ja="この項目はありません。", en="There is no such field.", zh="没有此项目。")
_NO_DATE = Words(
    ja="2026-12-25 の形で書いてください。", en="Write it as 2026-12-25.", zh="请写成2026-12-25。"
)
_NO_LINES = Words(
    ja="品目と数量の一覧にしてください。",
    en="Give a list of items and quantities.",
    zh="请提供品目和数量的列表。",
)
_NO_TEXT = Words(ja="文字列にしてください。", en="Give a text.", zh="请提供文本。")


async def read_form(visit: Visit, agent: str, given: Given) -> Form:
    """Raises Problem 422 with what is wrong field by field; nothing is taken in then."""
    spec = _spec(visit, agent)
    values, wrong = _values(spec, given)
    if not wrong:
        wrong = await _check(visit, spec, values)
    if wrong:
        raise Problem(422, errors={_place(name): words for name, words in wrong.items()})
    return Form(agent, values)


def unchecked_form(visit: Visit, agent: str, given: Given) -> Form:
    """The form of an act that was done before: its price list may be another by now."""
    return Form(agent, _values(_spec(visit, agent), given)[0])


def _spec(visit: Visit, agent: str) -> FormSpec:
    known = visit.opening.house.agents.get(agent)
    if known is None or known.form is None:
        raise Problem(422, errors={"agent": NO_FORM.fill(agent=agent)})
    return known.form


async def _check(visit: Visit, spec: FormSpec, values: FormValues) -> dict[str, Words]:
    try:
        catalogue = await visit.opening.house.catalogue(visit.person.organisation_id)
    except (Permanent, TryLater) as error:
        raise away(error.words) from error
    return dict(spec.check(values, catalogue, visit.person.today()))


def _values(spec: FormSpec, given: Given) -> tuple[FormValues, dict[str, Words]]:
    """The values as the agent takes them, and what can't be read, by field."""
    known = {field.name: field for field in spec.fields}
    wrong = {name: _NO_FIELD for name in given if name not in known}
    values: dict[str, object] = {}
    for name, field in known.items():
        value = given.get(name)
        if value is None:
            continue
        read = _value(field, value)
        if isinstance(read, Words):
            wrong[name] = read
        else:
            values[name] = read
    return values, wrong


def _value(field: FormField, value: str | list[FormLine]) -> object:
    """The value, or the words for what is wrong with it."""
    if field.kind == "lines":
        if isinstance(value, str):
            return _NO_LINES
        return tuple(LineEntry(line.item, line.quantity) for line in value)
    if not isinstance(value, str):
        return _NO_TEXT
    if field.kind == "date":
        try:
            return date.fromisoformat(value)
        except ValueError:
            return _NO_DATE
    return value


def _place(name: str) -> str:
    """`lines:0`, as the form's check says it, is `form.lines.0` in what was sent."""
    return "form." + name.replace(":", ".")
