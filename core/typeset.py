"""Documents from typst templates: PDF/A-3b to file and send, PNG to show.

A template sees `data.json` and the files handed in with it, and nothing else.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

import typst
from noto_cjk_sans_jp_bold import FONT_PATH as BOLD
from noto_cjk_sans_jp_regular import FONT_PATH as REGULAR

from core.errors import Permanent
from core.glyphs import printable
from core.words import Words

_TEMPLATE_FAILS = Words(
    ja="帳票のテンプレートに誤りがあります。テンプレートを直してからやり直してください。\n{fault}",
    en="The document template has an error. Mend the template, then try again.\n{fault}",
    zh="单据模板有错误，请修正模板后重试。\n{fault}",
)
_NO_SUCH_PAGE = Words(
    ja="この文書に{page}ページ目はありません。",
    en="The document has no page {page}.",
    zh="该文件没有第{page}页。",
)
# typst names files from where the process happens to run.
_FOLDER = re.compile(r"\S*miyabi-typeset-[^/\s]+/")
_MAIN, _DATA = "main.typ", "data.json"
_NO_PACKAGES = "a template can't import packages (a string may not begin with @)"

# typst loads packages from the network and has no switch against it. A text that an import
# would take for a package begins with @, also where it is written as an escape.
_PACKAGE = re.compile(rb'"(?:@|\\u\{0*40\})')

_PAGE_TREE = re.compile(rb"/Type\s*/Pages\b[^>]*?/Count\s+(\d+)")


async def typeset(
    template: bytes, data: Mapping[str, object], files: Mapping[str, bytes], *, at: datetime
) -> bytes:
    """Lay out `template` and return a PDF/A-3b.

    `data` is read by the template from `data.json`, `files` (name to content) under their names.
    `at` becomes the document's date of making; the same input gives the same bytes.
    Raises `Permanent` with typst's message if the template is wrong.
    """
    # typst releases the interpreter lock while it compiles (another thread was held up 10 ms
    # at most by compiles of 280 ms), so a thread is enough. Keeping a typst.Compiler for the
    # next document was no faster (79 ms against 78 ms) and would have to be locked.
    return await asyncio.to_thread(_pdf, template, data, files, at)


async def preview(
    template: bytes,
    data: Mapping[str, object],
    files: Mapping[str, bytes],
    *,
    at: datetime,
    page: int = 1,
    ppi: int = 110,
) -> bytes:
    """One page (counted from 1) of the same document as a PNG, `ppi` pixels an inch."""
    return await asyncio.to_thread(_png, template, data, files, at, page, ppi)


def pages(pdf: bytes) -> int:
    """How many pages a PDF made here has, from the root of its page tree."""
    return max(int(count) for count in _PAGE_TREE.findall(pdf))


def _pdf(
    template: bytes, data: Mapping[str, object], files: Mapping[str, bytes], at: datetime
) -> bytes:
    return _compiled(template, data, files, at, form="pdf", ppi=None)[0]


def _png(
    template: bytes,
    data: Mapping[str, object],
    files: Mapping[str, bytes],
    at: datetime,
    page: int,
    ppi: int,
) -> bytes:
    pages = _compiled(template, data, files, at, form="png", ppi=ppi)
    if not 1 <= page <= len(pages):
        raise Permanent(_NO_SUCH_PAGE.fill(page=page))
    return pages[page - 1]


def _compiled(
    template: bytes,
    data: Mapping[str, object],
    files: Mapping[str, bytes],
    at: datetime,
    *,
    form: Literal["pdf", "png"],
    ppi: int | None,
) -> list[bytes]:
    sources = {**files, _MAIN: template, _DATA: _json(data)}
    if any(_PACKAGE.search(text) for name, text in sources.items() if name.endswith(".typ")):
        raise Permanent(_TEMPLATE_FAILS.fill(fault=_NO_PACKAGES))
    with tempfile.TemporaryDirectory(prefix="miyabi-typeset-") as folder:
        root = Path(folder)
        for name, content in sources.items():
            _inside(root, name).write_bytes(content)
        try:
            made = typst.compile(
                root / _MAIN,
                root=root,
                font_paths=_fonts(),
                format=form,
                ppi=ppi,
                pdf_standards=["a-3b"] if form == "pdf" else [],
                package_path=root / "none",
                package_cache_path=root / "none",
                timestamp=int(at.timestamp()),
            )
        except typst.TypstError as error:
            fault = _FOLDER.sub("", error.diagnostic)
            raise Permanent(_TEMPLATE_FAILS.fill(fault=fault)) from error
    return [made] if isinstance(made, bytes) else made


@cache
def _fonts() -> typst.Fonts:
    """Our two fonts and no other: what is installed on a machine must not change a document."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[Path(str(font)).parent for font in (REGULAR, BOLD)],
    )


def _inside(root: Path, name: str) -> Path:
    path = root / name
    if path.parent != root:
        message = f"not a plain file name: {name!r}"
        raise ValueError(message)
    return path


def _json(data: Mapping[str, object]) -> bytes:
    shown = _printable(data)
    return json.dumps(shown, ensure_ascii=False, sort_keys=True, allow_nan=False).encode()


def _printable(value: object) -> object:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {key: _printable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(inner) for inner in value]
    return value
