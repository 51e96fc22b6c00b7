"""Text made comparable: width, case and variants folded, every place traced back to what was typed.

Two levels: `Folded` for the rules of numbers, dates and phrases; `Keyed` (no spaces, one kana,
one form of each kanji) for names.
"""

import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

from core.reading.variants import CANONICAL

# A half-width kana with its voicing mark becomes one character; so do accents typed apart.
_CLUSTER = re.compile(r".[\uff9e\uff9f\u3099\u309a\u0300-\u036f]{0,4}", re.DOTALL)
_BULLETS = "•●○◦▪■□◆◇▶►‣★☆➢✓✔☑①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_BEFORE = (
    dict.fromkeys(_BULLETS, "・")
    | dict.fromkeys("✕✖╳⨯", "×")
    | dict.fromkeys("−‐‑–⁻﹣", "-")
    | dict.fromkeys("—─", "―")
    | dict.fromkeys("〜∼", "~")
    | dict.fromkeys("\v\f\x1c\x1d\x1e\x85\u2028\u2029", "\n")
    | dict.fromkeys("‘’", "'")
    | dict.fromkeys("“”", '"')
    | {"\r": "", "\t": " ", "⁄": "/"}
)
# Variation selectors and marks of direction or width zero say nothing about the words.
_NOTHING = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]")


@dataclass(frozen=True, slots=True)
class Folded:
    """`text[i]` was typed as `raw[starts[i]:ends[i]]`."""

    raw: str
    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def typed(self, start: int, end: int) -> str:
        """What was typed at these places of the folded text."""
        if start >= end:
            return ""
        return self.raw[self.starts[start] : self.ends[end - 1]].strip()


@lru_cache(maxsize=8192)
def _folded_cluster(cluster: str) -> str:
    if cluster in _BEFORE:
        return _BEFORE[cluster]
    if _NOTHING.match(cluster):
        return ""
    folded = unicodedata.normalize("NFKC", cluster).replace("\u2044", "/")
    folded = unicodedata.normalize("NFKC", folded.casefold())
    return "".join(
        character if character == "\n" or unicodedata.category(character)[0] != "C" else " "
        for character in folded
    )


def fold(raw: str) -> Folded:
    """Fold width (NFKC), case, dashes, bullets and controls; line breaks stay."""
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in _CLUSTER.finditer(raw):
        folded = _folded_cluster(match.group())
        pieces.append(folded)
        starts += [match.start()] * len(folded)
        ends += [match.end()] * len(folded)
    return Folded(raw, "".join(pieces), tuple(starts), tuple(ends))


@dataclass(frozen=True, slots=True)
class Keyed:
    """`text[i]` stands at `starts[i]:ends[i]` of the folded text."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def at(self, place: int) -> int:
        """The first place of the key at or after a place of the folded text."""
        return bisect_left(self.starts, place)


_DROPPED = frozenset(" -・'_()[]{}「」『』【】〈〉《》〔〕\"")
_INCH = re.compile(r"(?<=\d)[ -]?(?:インチ|inches|inch|英寸|吋|″|\"(?!\w))")
_KATAKANA_END = re.compile(r"(?<=[ァ-ヺ]{2})ー+(?![ァ-ヺー])|(?<=[ァ-ヺ]ー[ァ-ヺ])ー+(?![ァ-ヺー])")
_TO_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}
_KEY_TABLE = {ord(variant): same for variant, same in CANONICAL.items()} | _TO_KATAKANA


def keyed(text: str) -> Keyed:
    """The key of a folded text. モニター and モニタ, 27インチ and 27型 have the same key."""
    whole = {match.start(): (match.end(), "型") for match in _INCH.finditer(text)}
    whole |= {match.start(): (match.end(), "") for match in _KATAKANA_END.finditer(text)}
    same = text.translate(_KEY_TABLE)
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    place = 0
    while place < len(text):
        end, piece = whole.get(place, (place + 1, same[place]))
        if (piece and text[place] not in _DROPPED) or piece == "型":
            pieces.append(piece)
            starts.append(place)
            ends.append(end)
        elif not piece and ends:
            ends[-1] = end  # the long vowel belongs to the kana before it
        place = end
    return Keyed("".join(pieces), tuple(starts), tuple(ends))


@lru_cache(maxsize=4096)
def key_of(raw: str) -> str:
    """The key of a name or of a few words, for comparing."""
    return keyed(fold(raw).text).text
