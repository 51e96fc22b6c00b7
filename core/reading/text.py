"""Text made comparable: width, case and variants folded, every place traced back to what was typed.

Two levels: `Folded` for the rules of numbers, dates and phrases; `Keyed` (no spaces, one kana,
one form of each kanji) for names.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.reading.variants import CANONICAL

# A half-width kana with its voicing mark becomes one character; so do accents typed apart.
_CLUSTER = re.compile(r".[\uff9e\uff9f\u3099\u309a\u0300-\u036f]{0,4}", re.DOTALL)
_COMBINING = re.compile(r"[\uff9e\uff9f\u3099\u309a\u0300-\u036f]")
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
    starts: Sequence[int]
    ends: Sequence[int]

    def typed(self, start: int, end: int) -> str:
        """What was typed at these places of the folded text."""
        if start >= end:
            return ""
        return self.raw[self.starts[start] : self.ends[end - 1]].strip()


class _FoldedClusters(dict[str, str]):
    """Each character (with its marks) folded, remembered up to a limit."""

    def __missing__(self, cluster: str) -> str:
        folded = _folded_cluster(cluster)
        if len(self) < _MOST_REMEMBERED:
            self[cluster] = folded
        return folded


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


_MOST_REMEMBERED = 20_000
_CLUSTERS = _FoldedClusters()


def fold(raw: str) -> Folded:
    """Fold width (NFKC), case, dashes, bullets and controls; line breaks stay."""
    clusters = _CLUSTER.findall(raw) if _COMBINING.search(raw) else raw
    pieces = [_CLUSTERS[cluster] for cluster in clusters]
    text = "".join(pieces)
    if clusters is raw and len(text) == len(raw) and "" not in pieces:
        return Folded(raw, text, range(len(raw)), range(1, len(raw) + 1))
    starts: list[int] = []
    ends: list[int] = []
    place = 0
    for cluster, piece in zip(clusters, pieces, strict=True):
        end = place + len(cluster)
        starts += [place] * len(piece)
        ends += [end] * len(piece)
        place = end
    return Folded(raw, text, starts, ends)


@dataclass(frozen=True, slots=True)
class Keyed:
    """`text[i]` stands at `starts[i]:ends[i]` of the folded text."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def at(self, place: int) -> int:
        """The first place of the key at or after a place of the folded text."""
        return bisect_left(self.starts, place)


_DROPPED = frozenset(" -・'_()[]{}「」『』【】〈〉《》〔〕\"")
_TO_CHANGE = re.compile(
    r"(?P<inch>(?<=\d)[ -]?(?:インチ|inches|inch|英寸|吋|″|\"(?!\w)))"
    r"|(?P<and>&)"
    r"|(?:(?<=[ァ-ヺ]{2})|(?<=[ァ-ヺ]ー[ァ-ヺ]))ー+(?![ァ-ヺー])"
)
_TO_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}
_KEY_TABLE = {ord(variant): same for variant, same in CANONICAL.items()} | _TO_KATAKANA


def keyed(text: str) -> Keyed:
    """The key of a folded text. モニター and モニタ, 27インチ and 27型 have the same key."""
    same = text.translate(_KEY_TABLE)
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def plain(start: int, end: int) -> None:
        places = [place for place in range(start, end) if text[place] not in _DROPPED]
        pieces.extend([same[place] for place in places])
        starts.extend(places)
        ends.extend([place + 1 for place in places])

    done = 0
    for match in _TO_CHANGE.finditer(text):
        plain(done, match.start())
        done = match.end()
        if match["inch"] or match["and"]:
            said = "型" if match["inch"] else "and"
            pieces.extend(said)
            starts.extend([match.start()] * len(said))
            ends.extend([done] * len(said))
        else:
            ends[-1] = done  # the long vowel belongs to the kana before it
    plain(done, len(text))
    return Keyed("".join(pieces), starts, ends)


@lru_cache(maxsize=4096)
def key_of(raw: str) -> str:
    """The key of a name or of a few words, for comparing."""
    return keyed(fold(raw).text).text
