"""Forms in Slack: opened at once, filled in when the price list is there, checked when sent."""

import asyncio
from dataclasses import replace
from uuid import UUID

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack import limits
from bot.slack.api import ask
from bot.slack.door import Act, Door
from bot.slack.form_typed import block_errors, form_values, prefill, row_count, typed_in
from bot.slack.form_view import Sheet, form_view, loading_view, most_rows, notice_view
from bot.slack.reaching import open_direct
from bot.slack.render import Json, cut, options
from core import phrases
from core.catalogue import Catalogue
from core.errors import MiyabiError, NotAllowed, Refused
from core.first_times import DatabaseAway
from core.forms import FormSpec, FormValues
from core.inbound import Form, Inbound, Spot
from core.intake import accept
from core.people import Person
from core.reading.order import search_customers, search_items
from core.views import TaskView, task_view
from core.words import Words, same

log = structlog.get_logger()

TOO_MANY_ROWS = Words(
    ja="行が{most}行を超えるため、フォームでは修正できません。"
    "スレッドに「!miyabi 修正 {reference} …」と全文を書いてください。",
    en="With more than {most} lines this can't be changed in a form. "
    "Please write it whole in the thread: “!miyabi revise {reference} …”.",
    zh="行数超过 {most} 行，无法用表单修改。"
    "请在会话串中写出完整内容: “!miyabi 修改 {reference} …”。",
)
NOT_READABLE = Words(
    ja="価格表を読み込めません: {why}",
    en="The price list can't be read: {why}",
    zh="无法读取价目表: {why}",
)
TOO_SLOW = Words(ja="時間がかかっています", en="it takes too long", zh="耗时过长")

_CATALOGUE_PATIENCE = 1.5  # seconds: a delivery is answered within 2 (web/limits.py)


async def open_form(door: Door, act: Act, person: Person, trigger: str, agent: str) -> None:
    """Open an agent's form, empty. Raises Permanent (a used trigger, say) or TryLater."""
    await open_sheet(door, act, person, trigger, Sheet(agent, person.language, act.spot.channel))


async def sheet_of(door: Door, act: Act, person: Person, task_id: str) -> Sheet:
    """The form for what a task says. Raises Refused where this person may not change it."""
    view = await _task(door, person, task_id)
    if view.requester_id != person.id:
        raise NotAllowed(phrases.NOT_YOURS.fill(who=same(view.requester)))
    return Sheet(view.agent.name, person.language, act.spot.channel, act.spot.thread, str(view.id))


async def _task(door: Door, person: Person, task_id: str) -> TaskView:
    try:
        async with door.house.engine.connect() as connection:
            return await task_view(connection, door.house, person.organisation_id, UUID(task_id))
    except (ValueError, LookupError) as error:
        raise Refused(phrases.UNKNOWN_TASK.fill(target="?")) from error


async def open_sheet(door: Door, act: Act, person: Person, trigger: str, sheet: Sheet) -> None:
    """Open the form, which is filled in once all is there. Raises Permanent or TryLater."""
    spec = _spec(door, sheet.agent)
    client = await door.client(act.team)
    view = loading_view(spec.title, sheet.language)
    opened = await ask(client.views_open(trigger_id=trigger, view=view))
    door.later(_fill(door, act, person, sheet, opened["view"]["id"]))


async def _fill(door: Door, act: Act, person: Person, sheet: Sheet, view_id: str) -> None:
    """Put the form in the place of the loading view, or what keeps it from being made."""
    spec = _spec(door, sheet.agent)
    client = await door.client(act.team)
    try:
        if not sheet.channel:
            sheet = replace(sheet, channel=await open_direct(client, act.user))
        catalogue = await door.house.catalogue(person.organisation_id)
        note = catalogue.note.to(sheet.language) if catalogue.note else ""
        view = await _filled(door, person, replace(sheet, note=note), catalogue)
    except MiyabiError as error:
        words = error.words.to(sheet.language)
        view = notice_view(spec.title, sheet.language, words)
    await ask(client.views_update(view_id=view_id, view=view))


async def _filled(door: Door, person: Person, sheet: Sheet, catalogue: Catalogue) -> Json:
    spec = _spec(door, sheet.agent)
    if sheet.task is None:
        return form_view(spec, sheet, {})
    task = await _task(door, person, sheet.task)
    values = task.agent.edit(task.results) if task.agent.edit else {}
    if row_count(spec, values) > most_rows(spec):
        raise Refused(TOO_MANY_ROWS.fill(most=most_rows(spec), reference=task.spoken))
    rows, typed = prefill(spec, values, catalogue)
    return form_view(spec, replace(sheet, rows=tuple(range(rows))), typed)


def _spec(door: Door, agent: str) -> FormSpec:
    """The agent's form. Raises Refused where there is none (an old view after an update)."""
    found = door.house.agents.get(agent)
    if found is None or found.form is None:
        raise Refused(phrases.SEE_HELP)
    return found.form


# Rows


async def change_rows(door: Door, body: Json, ack: AsyncAck, act: Act) -> None:
    """A row more or less; what was typed stays, as the blocks keep their names."""
    view, action = body["view"], body["actions"][0]
    sheet = Sheet.load(view["private_metadata"])
    if action["action_id"] == "form:add":
        sheet = sheet.with_row()
    else:
        sheet = sheet.without_row(int(action["value"]))
    client = await door.client(act.team)
    changed = form_view(_spec(door, sheet.agent), sheet, typed_in(view))
    try:
        await ask(client.views_update(view_id=view["id"], hash=view["hash"], view=changed))
    except MiyabiError as error:  # pressed twice in a row: the first press counts
        log.info("slack.rows_not_changed", why=str(error))
    await ack()


# Type-ahead


async def suggest(door: Door, body: Json, ack: AsyncAck, act: Act) -> None:
    """The customers or items that fit what was typed so far."""
    catalogue = None
    try:
        person = await door.person(act)
        if person is not None:
            async with asyncio.timeout(_CATALOGUE_PATIENCE):
                catalogue = await door.house.catalogue(person.organisation_id)
    except (MiyabiError, TimeoutError) as error:
        log.warning("slack.no_suggestions", why=repr(error))
    if catalogue is None:
        await ack(options=[])
        return
    query = str(body.get("value") or "")
    search = search_items if str(body["action_id"]).endswith(":item") else search_customers
    found = search(query, catalogue, limits.OPTIONS)
    await ack(options=options((each.code, each.name) for each in found))


# Sending


async def submit(door: Door, body: Json, ack: AsyncAck, act: Act) -> None:
    """Check what was typed; errors are shown beside the fields, and nothing is taken in."""
    view = body["view"]
    sheet = Sheet.load(view["private_metadata"])
    act = replace(act, spot=Spot(sheet.channel, sheet.thread))
    spec = _spec(door, sheet.agent)
    values, rows = form_values(spec, sheet, typed_in(view))
    errors = await _errors(door, act, sheet, values, rows)
    if errors:
        await ack(response_action="errors", errors=errors)
        return
    task_id = UUID(sheet.task) if sheet.task else None
    form = Form(sheet.agent, values, task_id)
    answer = await accept(
        door.house, Inbound(act.sender, act.spot, f"view:{view['id']}", form=form)
    )
    words = answer.message.text if answer.message else ""
    if answer.outcome == "unavailable":
        await ack(response_action="errors", errors={spec.fields[0].name: cut(words, 200)})
    elif answer.outcome in {"refused", "unknown_person"}:
        notice = notice_view(spec.title, sheet.language, words)
        await ack(response_action="update", view=notice)
    else:
        await ack()
        if answer.message is not None and not answer.repeated:
            door.later(door.whisper(act, answer.message))


async def _errors(
    door: Door, act: Act, sheet: Sheet, values: FormValues, rows: tuple[int, ...]
) -> dict[str, str]:
    """What is wrong with a form, by block. A stranger's is not looked at: `accept` refuses it."""
    spec = _spec(door, sheet.agent)
    try:
        person = await door.person(act)
        if person is None:
            return {}
        async with asyncio.timeout(_CATALOGUE_PATIENCE):
            catalogue = await door.house.catalogue(person.organisation_id)
    except DatabaseAway as away:
        words = away.words
    except MiyabiError as error:
        words = NOT_READABLE.fill(why=error.words)
    except TimeoutError:
        words = NOT_READABLE.fill(why=TOO_SLOW)
    else:
        wrong = spec.errors(values, catalogue, person.today())
        return block_errors(spec, sheet, values, rows, wrong, catalogue)
    return {spec.fields[0].name: cut(words.to(sheet.language), 200)}
