"""A form that a program fills in, as the agent's form takes it."""

from collections.abc import Mapping
from datetime import date

from bot.api.door import Visit
from bot.api.models import FormGiven, FormLine
from bot.api.problems import Problem, away
from core.errors import Permanent, TryLater
from core.forms import (
    NO_AMOUNT,
    REPEATED,
    FormField,
    FormSpec,
    FormValues,
    LineEntry,
    typed_amount,
)
from core.inbound import Form
from core.words import Words

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
_NO_ROWS = Words(ja="行の一覧にしてください。", en="Give a list of rows.", zh="请提供行的列表。")
_NO_TEXT = Words(ja="文字列にしてください。", en="Give a text.", zh="请提供文本。")


async def read_form(visit: Visit, agent: str, given: Mapping[str, FormGiven]) -> Form:
    """Raises Problem 422 with what is wrong field by field; nothing is taken in then."""
    spec = _spec(visit, agent)
    values, wrong = read_values(spec, given)
    if not wrong:
        wrong = await _check(visit, spec, values)
    if wrong:
        raise Problem(422, errors={_place(name): words for name, words in wrong.items()})
    return Form(agent, values)


def unchecked_form(visit: Visit, agent: str, given: Mapping[str, FormGiven]) -> Form:
    """The form of an act that was done before: its price list may be another by now."""
    return Form(agent, read_values(_spec(visit, agent), given)[0])


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
    return dict(spec.errors(values, catalogue, visit.person.today()))


def read_values(
    spec: FormSpec, given: Mapping[str, FormGiven]
) -> tuple[FormValues, dict[str, Words]]:
    """The values as the agent takes them, and what can't be read, by field."""
    wrong: dict[str, Words] = {}
    return _read(spec.fields, given, wrong, ""), wrong


def _read(
    fields: tuple[FormField, ...],
    given: Mapping[str, FormGiven],
    wrong: dict[str, Words],
    place: str,
) -> dict[str, object]:
    known = {field.name: field for field in fields}
    wrong |= {place + name: _NO_FIELD for name in given if name not in known}
    values: dict[str, object] = {}
    for name, field in known.items():
        value = given.get(name)
        if value is None:
            continue
        if field.kind in REPEATED:
            read: object = _rows(field, value, wrong)
        else:
            read = _value(field, value)
        if isinstance(read, Words):
            wrong[place + name] = read
        else:
            values[name] = read
    return values


def _rows(field: FormField, value: FormGiven, wrong: dict[str, Words]) -> object:
    """The rows, or the words for what is wrong with them as a whole."""
    if not isinstance(value, list):
        return _NO_LINES if field.kind == "lines" else _NO_ROWS
    rows = [row.model_dump() if isinstance(row, FormLine) else row for row in value]
    if field.kind == "rows":
        return tuple(
            _read(field.rows, row, wrong, f"{field.name}:{n}:") for n, row in enumerate(rows)
        )
    if any(
        set(row) != {"item", "quantity"} or not all(isinstance(each, str) for each in row.values())
        for row in rows
    ):
        return _NO_LINES
    return tuple(LineEntry(str(row["item"]), str(row["quantity"])) for row in rows)


def _value(field: FormField, value: FormGiven) -> object:
    """The value, or the words for what is wrong with it."""
    if field.kind == "amount" and isinstance(value, int):
        return value if value > 0 else NO_AMOUNT
    if not isinstance(value, str):
        return _NO_TEXT
    if field.kind == "amount":
        return typed_amount(value)
    if field.kind == "date":
        try:
            return date.fromisoformat(value)
        except ValueError:
            return _NO_DATE
    return value


def _place(name: str) -> str:
    """`lines:0`, as the form's check says it, is `form.lines.0` in what was sent."""
    return "form." + name.replace(":", ".")
