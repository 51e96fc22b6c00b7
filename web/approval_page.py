"""What stands on a page on which an approval is decided, as HTML (docs/approvals.md, "Pages")."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from core.agent import Document
from core.approvals import by_link, page_codes
from core.approvals.by_link import PATH, Page
from core.approvals.card import HASH, card
from core.approvals.deciding import earlier_places
from core.approvals.view import ApprovalView, approval_view
from core.approvals.wording import moment
from core.attachments import kept_of
from core.house import House
from core.messages import Attachment, Message
from core.people import Person
from core.platform import Opening
from core.problems import accepted_language
from core.views import TaskView, task_view
from core.words import Language, Words
from web import approving_words as said
from web.visitors import Recent, Visitor, remember

PRIVATE = {
    "Cache-Control": "no-store",
    # Not `no-referrer`: a form's request would not say which site it is of.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What all requests share. `apps`: the platforms that codes are sent by."""

    opening: Opening
    apps: Sequence[str]
    recent: Recent

    @property
    def house(self) -> House:
        return self.opening.house


@dataclass(frozen=True, slots=True)
class Visit:
    """A page, whose it is, and who is there."""

    page: Page
    person: Person
    visitor: Visitor
    language: Language
    path: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands on a page. `became`: why nothing can be decided there (any more)."""

    view: TaskView
    approval: ApprovalView
    became: Words | None
    files: Sequence[Attachment]

    @property
    def is_current(self) -> bool:
        return self.approval.revision == self.view.revision


@dataclass(frozen=True, slots=True)
class Typed:
    """A form that was sent."""

    action: str
    reason: str
    code: str
    nonce: str
    to: int | None


async def read_shown(desk: Desk, visit: Visit) -> Shown:
    """What it has to show, as it stands."""
    page = visit.page
    async with desk.house.engine.connect() as connection:
        approval = await approval_view(connection, page.organisation_id, page.approval_id)
        view = await task_view(connection, desk.house, page.organisation_id, page.task_id)
        became = await by_link.what_became(connection, page)
        kept = await kept_of(connection, page.organisation_id, page.task_id)
    papers = [
        Attachment(each.sha256, each.name, each.media_type)
        for each in view.results.values()
        if isinstance(each, Document) and each.sha256 == approval.shown_sha256
    ]
    sent = [Attachment(each.sha256, each.name, each.media_type) for each in kept]
    return Shown(view, approval, became, [*papers[:1], *sent])


def rendered(
    desk: Desk,
    request: Request,
    visit: Visit,
    shown: Shown,
    wrong: Words | None = None,
    typed: Typed | None = None,
) -> Response:
    """The page. `wrong`: why what was sent is not done; what was `typed` stays in the form."""
    language, zone = visit.language, visit.person.time_zone
    message: Message | None = None
    if shown.is_current:
        message = card(shown.view, shown.approval, language, zone, visit.person.id)
    until = moment(visit.page.expires_at, ZoneInfo(zone))
    style = secrets.token_urlsafe(16)
    hidden = HASH.to(language)
    text = _templates.get_template("approval.html").render(
        language=language,
        style=style,
        title=message.title if message else said.APPROVAL.to(language),
        said=shown.became.to(language) if shown.became else "",
        wrong=wrong.to(language) if wrong else "",
        message=message,
        fields=[each for each in message.fields if each.label != hidden] if message else [],
        files=shown.files,
        hash=shown.approval.shown_sha256,
        step=_step(desk, visit, shown),
        nonce=visit.visitor.nonce(desk.house, visit.page.id),
        path=visit.path,
        reason=typed.reason if typed else "",
        to=typed.to if typed else None,
        places=_places(shown),
        whose=said.WHOSE.fill(who=visit.person.name, until=until).to(language),
        words={name: words.to(language) for name, words in said.LABELS.items()},
        languages=said.NAMES,
    )
    headers = {**PRIVATE, "Content-Security-Policy": _POLICY.format(nonce=style)}
    response = HTMLResponse(text, 409 if wrong else 200, headers)
    if request.method != "HEAD":
        remember(response, request, desk.house, visit.visitor, PATH)
    return response


def _step(desk: Desk, visit: Visit, shown: Shown) -> str:
    """Which form it has: to be sent a code, to type it, or to decide; none once it is over."""
    if shown.became is not None or not shown.is_current:
        return ""
    if not needs_code(desk, visit, shown.view):
        return "decide"
    return "enter" if visit.page.code_open else "code"


def needs_code(desk: Desk, visit: Visit, view: TaskView) -> bool:
    """Whether the amount is so large that it has to be known who is there."""
    amount = page_codes.amount_of(view)
    large = amount is not None and amount >= desk.opening.settings.email.code_from_yen
    return large and visit.visitor.person != visit.person.id


def _places(shown: Shown) -> list[tuple[int, str]]:
    """The earlier steps that it can be sent back to."""
    names = {stage.place: stage.name for stage in shown.approval.run.current}
    return [(place, names[place]) for place in earlier_places(shown.approval.run)]


def notice(
    request: Request, status: int, words: Words, language: Language | None = None
) -> Response:
    """A page with one thing to say."""
    spoken = language or accepted_language(request.headers.get("accept-language"), "ja")
    return plain(status, spoken, said.APPROVAL, words)


def plain(
    status: int, language: Language, title: Words, words: Words, press: Words | None = None
) -> Response:
    """A page with one thing to say, and at most one to press."""
    style = secrets.token_urlsafe(16)
    text = _templates.get_template("notice.html").render(
        language=language,
        style=style,
        title=title.to(language),
        said=words.to(language),
        press=press.to(language) if press is not None else "",
    )
    headers = {**PRIVATE, "Content-Security-Policy": _POLICY.format(nonce=style)}
    return HTMLResponse(text, status, headers)
