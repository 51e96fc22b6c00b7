"""The methods of modals and of the home tab: views.*."""

from tests.fakes.slack.blocks_check import check_view, elements, view_too_large
from tests.fakes.slack.limits import Json
from tests.fakes.slack.state import View
from tests.fakes.slack.view_state import first_values
from tests.fakes.slack.wire import view_json, with_ids
from tests.fakes.slack.world import Ask, Method, SlackError


def checked(ask: Ask, body: Json, kind: str) -> Json:
    """A view's JSON as Slack keeps it. Raises SlackError where it is not allowed."""
    ask.refuse("invalid_arguments", check_view(body, "home" if kind == "home" else "modal"))
    if view_too_large(body):
        ask.refuse("view_too_large", ["the view is over 250 KB"])
    most = ask.world.button_value_limit
    for element in elements(body["blocks"]):
        if element["type"] == "button" and most and len(element.get("value", "")) > most:
            ask.wrong(f"button value longer than our own {most}")
    return {**body, "blocks": with_ids(body["blocks"])}


def show(ask: Ask, body: Json, user: str, below: View | None = None) -> View:
    """Put a new modal in front of a person, on top of `below` or alone."""
    _check_external_id(ask, body, None)
    view_id = ask.workspace.next("V")
    view = View(view_id, user, body, _hash(ask), below.root_id if below else view_id)
    view.previous_id = below.id if below else None
    view.typed = first_values(body["blocks"], {})
    view.history.append(body)
    ask.workspace.views[view_id] = view
    return view


def change(ask: Ask, view: View, body: Json) -> None:
    """Change a view. What was typed stays where block id and action id are the same."""
    _check_external_id(ask, body, view)
    view.body, view.hash = body, _hash(ask)
    view.typed = first_values(body["blocks"], view.typed)
    view.history.append(body)


def _hash(ask: Ask) -> str:
    return f"{ask.workspace.next('')}.hash"


def _check_external_id(ask: Ask, body: Json, own: View | None) -> None:
    name = body.get("external_id")
    for view in ask.workspace.views.values():
        if name and view is not own and view.body.get("external_id") == name and view.open:
            raise SlackError("duplicate_external_id")


def _trigger_user(ask: Ask) -> str:
    trigger = ask.world.take_trigger(ask.args.get("trigger_id") or "")
    if trigger.workspace is not ask.workspace:
        raise SlackError("invalid_trigger_id")
    return trigger.user


def open_view(ask: Ask) -> Json:
    body = checked(ask, ask.args["view"], "modal")
    view = show(ask, body, _trigger_user(ask))
    return {"view": view_json(ask.workspace, view)}


def push(ask: Ask) -> Json:
    body = checked(ask, ask.args["view"], "modal")
    below = ask.workspace.modal(_trigger_user(ask))
    if below is None:
        raise SlackError("not_found")
    check_depth(ask, below)
    view = show(ask, body, below.user, below)
    return {"view": view_json(ask.workspace, view)}


def check_depth(ask: Ask, top: View) -> None:
    """Three modals can lie on top of each other, no more."""
    if sum(v.open and v.root_id == top.root_id for v in ask.workspace.views.values()) >= 3:
        raise SlackError("push_limit_reached")


def update(ask: Ask) -> Json:
    view_id, external_id = ask.args.get("view_id"), ask.args.get("external_id")
    if not (view_id or external_id):
        ask.refuse("invalid_arguments", ["[ERROR] needs view_id or external_id"])
    every = [*ask.workspace.views.values(), *ask.workspace.homes.values()]
    named = (
        v
        for v in every
        if v.id == view_id or (external_id and external_id == v.body.get("external_id"))
    )
    view = next((v for v in named if v.open), None)
    if view is None:
        raise SlackError("not_found")
    body = checked(ask, ask.args["view"], view.body["type"])
    if ask.args.get("hash") and ask.args["hash"] != view.hash:
        raise SlackError("hash_conflict")
    change(ask, view, body)
    return {"view": view_json(ask.workspace, view)}


def publish(ask: Ask) -> Json:
    user = ask.args["user_id"]
    if user not in ask.workspace.users:
        raise SlackError("user_not_found")
    body = checked(ask, ask.args["view"], "home")
    view = ask.workspace.homes.get(user)
    if view is not None and ask.args.get("hash") and ask.args["hash"] != view.hash:
        raise SlackError("hash_conflict")
    if view is None:
        name = ask.workspace.next("V")
        view = ask.workspace.homes[user] = View(name, user, body, "", name)
    change(ask, view, body)
    return {"view": view_json(ask.workspace, view)}


METHODS: dict[str, Method] = {
    "views.open": open_view,
    "views.push": push,
    "views.update": update,
    "views.publish": publish,
}
