"""Documents from typst templates."""

import asyncio
import hashlib
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from core.errors import Permanent
from core.typeset import pages, preview, typeset

AT = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
FONT = b'#set text(font: "Noto Sans CJK JP")\n#let d = json("data.json")\n'
ROOT = Path(__file__).resolve().parents[2]


def _text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


async def test_values_reach_the_page_as_typed() -> None:
    pdf = await typeset(FONT + b"#d.name", {"name": "*#let* $x$ @a <b> // \\u{41}"}, {}, at=AT)

    assert "*#let* $x$ @a <b> // \\u{41}" in _text(pdf)


async def test_same_input_gives_the_same_bytes_wherever_and_whenever(tmp_path: Path) -> None:
    """In this process twice, and in another with its own folders for temporary files."""
    source, data = FONT + b"= #d.name\n#datetime.today().display()", {"name": "髙﨑", "b": 1}
    first = await typeset(source, data, {"a.txt": b"x"}, at=AT)
    await asyncio.sleep(1.1)
    again = await typeset(source, dict(reversed(data.items())), {"a.txt": b"x"}, at=AT)

    assert first == again
    assert _elsewhere(source, tmp_path) == hashlib.sha256(first).hexdigest()
    assert str(Path.home()).encode() not in first
    assert b"miyabi-typeset" not in first


def _elsewhere(source: bytes, folder: Path) -> str:
    program = (
        "import asyncio, hashlib, sys; from datetime import UTC, datetime\n"
        "from core.typeset import typeset\n"
        "pdf = asyncio.run(typeset(sys.stdin.buffer.read(), {'b': 1, 'name': '髙﨑'},\n"
        "    {'a.txt': b'x'}, at=datetime(2026, 11, 25, 3, 0, tzinfo=UTC)))\n"
        "print(hashlib.sha256(pdf).hexdigest())"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "TZ": "UTC-9"}
    run = subprocess.run(
        [sys.executable, "-c", program],
        input=source,
        env=environment,
        cwd="/",
        capture_output=True,
        check=True,
    )
    return run.stdout.decode().strip()


async def test_date_within_a_template_is_the_one_handed_in() -> None:
    pdf = await typeset(FONT + b"#datetime.today().display()", {}, {}, at=AT)

    assert "2026-11-25" in _text(pdf)


async def test_mistake_in_a_template_is_told_with_its_line() -> None:
    with pytest.raises(Permanent) as stopped:
        await typeset(FONT + b"#d.nothing", {"name": ""}, {}, at=AT)

    assert "nothing" in stopped.value.words.ja
    assert "main.typ:3" in stopped.value.words.ja
    assert "miyabi-typeset" not in stopped.value.words.ja


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../../../../etc/passwd", "/../etc/passwd", "C:/x", "@local/a/b"]
)
async def test_template_reads_nothing_but_its_own_files(path: str) -> None:
    with pytest.raises(Permanent):
        await typeset(FONT + f'#read("{path}")'.encode(), {}, {}, at=AT)


@pytest.mark.parametrize(
    "source",
    [
        b'#import "@preview/cetz:0.3.0": *',
        b'#import "\\u{40}preview/cetz:0.3.0": *',
        b'#{ include "@" + "preview/cetz:0.3.0" }',
        b'#import "other.typ": *',
    ],
)
async def test_template_imports_no_package(source: bytes) -> None:
    other = b'#import "@preview/cetz:0.3.0": *'

    with pytest.raises(Permanent) as stopped:
        await typeset(source, {}, {"other.typ": other}, at=AT)

    assert "package" in stopped.value.words.en
    assert "http" not in stopped.value.words.en


async def test_template_may_be_made_of_several_files() -> None:
    pdf = await typeset(
        FONT + b'#import "other.typ": name\n#name',
        {},
        {"other.typ": "#let name = [みやび]".encode()},
        at=AT,
    )

    assert "みやび" in _text(pdf)


@pytest.mark.parametrize("name", ["../x", "/x", "a/b"])
async def test_file_with_a_path_for_a_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="plain file name"):
        await typeset(FONT, {}, {name: b""}, at=AT)


async def test_character_without_a_glyph_does_not_keep_a_document_from_being_made() -> None:
    pdf = await typeset(FONT + b"#d.names.at(0).x", {"names": [{"x": "茶😀"}]}, {}, at=AT)

    assert "茶〓" in _text(pdf)


async def test_pages_are_counted() -> None:
    many = await typeset(FONT + b"#range(150).map(str).join(pagebreak())", {}, {}, at=AT)

    assert pages(many) == 150 == len(PdfReader(BytesIO(many)).pages)
    assert pages(await typeset(FONT + b"x", {}, {}, at=AT)) == 1


async def test_preview_is_a_png_of_the_page_asked_for() -> None:
    source = FONT + b"#set page(width: 72pt, height: 36pt, margin: 0pt)\n#pagebreak()\nx"

    first = await preview(source, {}, {}, at=AT, ppi=100)
    second = await preview(source, {}, {}, at=AT, page=2, ppi=100)

    assert first[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(first[16:20]), int.from_bytes(first[20:24])) == (100, 50)
    assert first != second
    with pytest.raises(Permanent):
        await preview(source, {}, {}, at=AT, page=3)


async def test_event_loop_goes_on_while_a_document_is_made() -> None:
    heavy = FONT + b"#table(columns: 4, ..range(6000).map(n => str(n)))"
    lags: list[float] = []

    async def ticking() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            lags.append(time.perf_counter() - before)

    ticker = asyncio.create_task(ticking())
    started = time.perf_counter()
    await typeset(heavy, {}, {}, at=AT)
    took = time.perf_counter() - started
    ticker.cancel()

    assert took > 0.1  # else nothing is shown here
    assert len(lags) > 5
    assert max(lags) < took / 2
