"""Messages as mail shows them: as text that says everything, and as HTML beside it.

Pure: links were made before, and files were read. Nothing in the HTML is fetched from anywhere;
pictures lie in the mail itself. What can't be pressed in a mail is said in words: it can be
answered.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.email import wording
from bot.email.compose import one_line
from core.messages import Button, Field, Line, Message
from core.words import Language, Words

if TYPE_CHECKING:
    from jinja2 import Template

DECIDES = ("approve", "reject", "return")
"""The presses that a page stands for."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_TEMPLATES = Path(__file__).parent / "templates"
_STATES = {"done": "●", "running": "◐", "waiting": "◐", "todo": "○", "failed": "✕", "stopped": "■"}


@dataclass(frozen=True, slots=True)
class Look:
    """What is beside the messages of a letter when it is shown.

    `pages`: the address on which a step is decided or a notice acknowledged, by its id. `pictures`:
    the Content-ID of a picture that lies in the letter, and `enclosed` the files that do, by hash;
    `links` opens those that are too large for it. `answered`: whether an answer to the letter is
    taken, and `decides`, whether one decides something: it has to carry the token of our Reply-To.
    """

    pages: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    enclosed: frozenset[str] = frozenset()
    links: Mapping[str, str] = field(default_factory=dict)
    answered: bool = True
    decides: bool = True
    unsubscribe: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A message, cut up as it is shown. `again`: it tells of a change, so its note comes first."""

    title: str
    news: str
    paragraphs: Sequence[str]
    fields: Sequence[Field]
    lines: Sequence[Line]
    totals: Sequence[Field]
    sections: Sequence[Field]
    steps: Sequence[str]
    picture: tuple[str, str] | None
    page: tuple[str, str] | None
    choices: Sequence[str]
    hints: Sequence[str]
    files: Sequence[tuple[str, str | None]]
    note: str


def show(messages: Sequence[tuple[Message, bool]], look: Look) -> tuple[str, str]:
    """Text and HTML of a letter; of each message, whether it tells of a change."""
    language = messages[0][0].language
    blocks = [_block(message, look, again=again) for message, again in messages]
    footer = _footer(look, language)
    text = "\n\n".join("\n".join(_text(block, language)) for block in blocks)
    spoken = f"{text}\n\n-- \n{footer}\n"
    heading = next((each.title for each in blocks if each.title), "") or _first(blocks)
    html = _template().render(
        blocks=blocks,
        footer=footer,
        heading=heading,
        preview=_preview(blocks),
        language={"ja": "ja", "en": "en", "zh": "zh-Hans"}[language],
        unsubscribe=look.unsubscribe,
        unsubscribe_label=wording.UNSUBSCRIBE.to(language),
    )
    return spoken, _inlined(html)


# What is shown


def _block(message: Message, look: Look, *, again: bool) -> Block:
    language = message.language
    structured = bool(message.title or message.body or message.fields or message.lines)
    body = clean(message.body if structured else message.text)
    page = next((_page(b, look, language) for b in message.buttons if b.value in look.pages), None)
    choices = _choices(message)
    picture = message.picture
    cid = look.pictures.get(picture.sha256) if picture is not None else None
    note = clean(message.note)
    return Block(
        title=one_line(message.title),
        news=note if again else "",
        paragraphs=[each for each in body.split("\n\n") if each.strip()],
        fields=_clean_fields(message.fields),
        lines=[Line(clean(x.name), clean(x.detail), clean(x.amount)) for x in message.lines],
        totals=_clean_fields(message.totals),
        sections=_clean_fields(message.sections),
        steps=_steps(message),
        picture=(cid, one_line(picture.alt)) if picture is not None and cid is not None else None,
        page=page,
        choices=choices,
        hints=list(_hints(message, look, choices, page, language)) if look.answered else (),
        files=[
            (one_line(file.name), look.links.get(file.sha256))
            for file in message.files
            if file.sha256 not in look.enclosed
        ],
        note="" if again else note,
    )


def _page(button: Button, look: Look, language: Language) -> tuple[str, str]:
    """What can be done on a page, and its address."""
    label = wording.DECIDE.to(language) if button.action in DECIDES else one_line(button.label)
    return label, look.pages[button.value]


def clean(text: str) -> str:
    """A text without what no mail may have in it; its lines stay."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _clean_fields(fields: Sequence[Field]) -> list[Field]:
    return [Field(one_line(each.label), clean(each.value)) for each in fields]


def _steps(message: Message) -> list[str]:
    return [
        " ".join(
            part for part in (_STATES[step.state], one_line(step.label), one_line(step.at)) if part
        )
        for step in message.progress
        if step.label
    ]


def _choices(message: Message) -> list[str]:
    """What a question can be answered with; it is answered by the number, too."""
    if message.select is not None:
        return [one_line(option.label) for option in message.select.options]
    return [one_line(button.label) for button in message.buttons if button.action == "answer"]


def _hints(
    message: Message,
    look: Look,
    choices: Sequence[str],
    page: tuple[str, str] | None,
    language: Language,
) -> Iterator[str]:
    """How it is answered."""
    actions = {button.action for button in message.buttons}
    if actions.intersection(DECIDES):
        yield _how_to_decide(look, page).to(language)
    if choices:
        yield wording.ANSWER_CHOICE.to(language)
    elif message.dates is not None:
        yield wording.ANSWER_DAY.to(language)
    labels = [one_line(button.label) for button in typed(message)]
    if labels and look.decides:
        words = "".join(wording.QUOTED.fill(word=label).to(language) for label in labels)
        yield wording.ANSWER_WORD.fill(words=words).to(language)


def _how_to_decide(look: Look, page: tuple[str, str] | None) -> Words:
    if not look.decides:
        return wording.DECIDE_ELSEWHERE if page is None else wording.FOR_YOU_ALONE
    return wording.DECIDE_BY_REPLY if page is None else wording.DECIDE_OR_REPLY


def typed(message: Message) -> list[Button]:
    """The buttons whose label is typed in an answer, as it stands there."""
    return [
        button
        for button in message.buttons
        if button.action not in (*DECIDES, "answer", "edit")
        and not button.action.startswith("notice.")  # has a page; is about no task
        and button.style != "quiet"
    ]


# As text


def _text(block: Block, language: Language) -> Iterator[str]:
    if block.title:
        yield f"■ {block.title}"
    if block.news:
        yield block.news
    yield from "\n\n".join(block.paragraphs).split("\n") if block.paragraphs else ()
    yield from (f"{each.label}: {each.value}" for each in block.fields)
    if block.lines:
        yield ""
        yield from (_line(each) for each in block.lines)
    if block.totals:
        yield ""
        yield from (f"{each.label}: {each.value}" for each in block.totals)
    for section in block.sections:
        yield ""
        yield f"【{section.label}】"
        yield section.value
    yield from block.steps
    for number, choice in enumerate(block.choices, 1):
        if not any(choice in paragraph for paragraph in block.paragraphs):
            yield f"{number}. {choice}"
    for name, link in block.files:
        yield f"{name}: {link or wording.NOT_ENCLOSED.to(language)}"
    if block.page is not None:
        yield ""
        yield from block.page
    if block.hints:
        yield ""
        yield from block.hints
    if block.note:
        yield ""
        yield block.note


def _line(line: Line) -> str:
    return "  ".join(each for each in (f"・{line.name}", line.detail, line.amount) if each)


def _footer(look: Look, language: Language) -> str:
    return (wording.FOOTER if look.answered else wording.FOOTER_MUTE).to(language)


def _first(blocks: Sequence[Block]) -> str:
    return next((each.paragraphs[0].split("\n")[0] for each in blocks if each.paragraphs), "Miyabi")


def _preview(blocks: Sequence[Block]) -> str:
    """What a list of mails shows beside the subject."""
    said = [each.value for block in blocks for each in (*block.totals, *block.fields)]
    return one_line(" ".join([*(block.news for block in blocks), *said]))[:120]


# As HTML


@lru_cache(maxsize=1)
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FileSystemLoader(_TEMPLATES),
    )
    return found.get_template("letter.html")


@lru_cache(maxsize=1)
def _inliner() -> Any:
    from css_inline import CSSInliner

    # Nothing is fetched; what a mail client may understand of the rest (dark mode) stays.
    return CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)


def _inlined(html: str) -> str:
    return str(_inliner().inline(html))
