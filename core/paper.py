"""An agent's document on paper: laid out, kept in the store, with a picture of its first page."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from core.agent import Document, Numbered, TaskInfo
from core.documents import Files
from core.messages import Picture
from core.typeset import pages, preview, typeset
from core.words import Language, Words

PDF = "application/pdf"
PNG = "image/png"

DRAFT = Words(ja="下書き", en="draft", zh="草稿")

_PPI = 84
"""Pixels an inch of a page's picture: A4 then stays within 1,024 each way, as a chat's card takes
(LINE's limit for an image in a card), and can still be read."""

Paper = tuple[str, str, str, int, str]
"""What a Document is made of, in its order: hash, name, media type, pages, hash of the picture."""


async def on_paper(
    files: Files,
    template: bytes,
    data: Mapping[str, object],
    name: str,
    dated: date,
    pictures: Mapping[str, bytes] | None = None,
) -> Paper:
    """The document as PDF and the picture of its first page, both in the store.

    `pictures` are what the template shows besides, by name. Raises Permanent for a template that
    can't be laid out.
    """
    beside = pictures or {}
    pdf = await typeset(template, data, beside, at=midnight(dated))
    picture = await preview(template, data, beside, at=midnight(dated), ppi=_PPI)
    return await files.put(pdf, PDF), name, PDF, pages(pdf), await files.put(picture, PNG)


def midnight(day: date) -> datetime:
    """What a document is dated inside: its bytes must not depend on when the step happened to
    run."""
    return datetime.combine(day, time(0), tzinfo=UTC)


def file_name(
    title: Words, task: TaskInfo, numbered: Numbered | None, language: Language, about: str = ""
) -> str:
    """`見積書_Q-2026-0001_ABC商事.pdf`; a draft is called by its task."""
    what = numbered.number if numbered else f"{DRAFT.to(language)}_{task.reference}"
    said = re.sub(r"[^\w.\-（）()・]+", "_", about)[:40]
    return "_".join((title.to(language), what, *([said] if about else []))) + ".pdf"


def first_page(document: Document | None, alt: str) -> Picture | None:
    """The picture of a document's first page, where there is one."""
    if document is None or document.preview_sha256 is None:
        return None
    return Picture(document.preview_sha256, alt)
