"""A browser without a window, to take pictures of pages; whichever of Chromium's kind there is."""

import shutil
import subprocess
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
          "microsoft-edge")  # fmt: skip
_SWITCHES = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--virtual-time-budget=3000")  # fmt: skip
_HEIGHT = """<script>document.fonts.ready.then(() => {
document.title = document.body.scrollHeight + 20})</script>"""
# Under the names by which our pages ask for them: the machine need not have a Japanese font.
_FACES = ("Noto Sans CJK JP", "Hiragino Sans", "Menlo")
_RANGE = "unicode-range:U+2E80-9FFF,U+F900-FAFF,U+FF00-FFEF"
"""What of it is taken: the rest stays what the page asks for, as the terminal's letters."""
_NARROWEST = 500
"""Chromium's window; a narrower page keeps its own width within it."""


def browser() -> str | None:
    """The program, where there is one."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def screenshot(content: str, target: Path, width: int = 760) -> bool:
    """Take a picture of a whole page; False where there is no browser."""
    program = browser()
    if program is None:
        return False
    source = target.with_suffix(".html")
    source.write_text(content + _fonts() + _HEIGHT, encoding="utf-8")
    across = max(_NARROWEST, width)
    call = [program, *_SWITCHES]
    asked = [*call, f"--window-size={across},100", "--dump-dom", source.as_uri()]
    told = _run(asked)
    height = told.rpartition("<title>")[2].partition("<")[0]
    height = height if height.isdecimal() else "900"
    _run([*call, f"--window-size={across},{height}", f"--screenshot={target}", source.as_uri()])
    source.unlink()
    return True


def _fonts() -> str:
    from noto_cjk_sans_jp_bold import FONT_PATH as BOLD
    from noto_cjk_sans_jp_regular import FONT_PATH as REGULAR

    faces = "".join(
        f"@font-face{{font-family:'{name}';font-weight:{weight};src:url('{_uri(path)}');{_RANGE}}}"
        for name in _FACES
        for weight, path in ((400, REGULAR), (700, BOLD))
    )
    return f"<style>{faces}</style>"


def _uri(path: object) -> str:
    return Path(str(path)).as_uri()


def _run(call: list[str]) -> str:
    # S603: a program of the path and our own page
    return subprocess.run(call, check=True, capture_output=True, timeout=60, text=True).stdout  # noqa: S603
