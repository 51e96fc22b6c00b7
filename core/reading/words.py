"""Words that are no known name: unknown things, unknown customers, or only talk."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from core.reading import companies, phrases
from core.reading.tokens import Token, Word
from core.reading.variants import SIMPLIFIED

CLAIMED = "\ue000"
_CHUNK = re.compile(rf"[^\s{CLAIMED}、。,;:!?()\[\]{{}}「」『』【】《》<>=~\"|/・+#*]+")
_RUN = re.compile(r"[ぁ-ゖ]+|[^ぁ-ゖ]+")
_LETTER = re.compile(r"[^\W\d_]")
_HONORIFIC_END = re.compile(rf"(?:{companies.HONORIFIC}|{companies.TO}|向)+$")
_HONORIFIC_KANA = re.compile(r"(?:さん|さま|くん|ちゃん|あて)")
_ONE_PARTICLE = re.compile(r"[とのにをがはもやで]|へ(?!や)")
_LINK = re.compile(r"と|や|および|及び|また|それから|あと|かつ")
_END_OF_A_WORD = frozenset("しなかよねきりみちい")
_SAID = re.compile(r"です|ます|でした|ました|だ$|ません")
# What follows says where to bring it.
_PLACE = re.compile(r"(?:納品|納入|送付|配送|届け|送り)(?:先|場所)(?:は|を)? ?$")
# 我们公司要开新办公室 tells something; 还要时光机 asks for something.
_CHINESE_TALK = re.compile(r"我|的|为|為")
_MOST_CHUNKS = 600


@dataclass(slots=True)
class _Piece:
    """A word under way, with what follows it."""

    start: int
    end: int
    to: bool = False
    after: str = ""


def find_words(masked: str, quantities: frozenset[int]) -> Iterator[Token]:
    """Word tokens of the places that nothing known has claimed, links between words among them.

    `quantities` are the places where a quantity begins: a word right before one is a thing.
    """
    latin: list[tuple[int, int]] = []
    for match in islice(_CHUNK.finditer(_and_apart(masked)), _MOST_CHUNKS):
        chunk, start = match.group(), match.start()
        if chunk.isascii() or not re.search(r"[ぁ-ヿ一-鿿々\U00020000-\U0003ffff]", chunk):
            latin.append((start, match.end()))
            continue
        glued = masked[start - 1 : start] == CLAIMED
        followed = _next(masked, match.end()) in quantities
        for token in _cjk_words(chunk, start, glued=glued, followed=followed):
            somewhere = _PLACE.search(masked, max(0, token.start - 8), token.start)
            yield replace(token, value=Word(aside=True)) if somewhere else token
    yield from _latin_words(latin, masked)


def _and_apart(masked: str) -> str:
    """In Chinese 冰箱和洗衣机 are two things; in Japanese 和 is part of names."""
    chinese = any(character in SIMPLIFIED for character in masked)
    return masked.translate(_AND_TO_BLANK) if chinese else masked


_AND_TO_BLANK = dict.fromkeys(map(ord, "和与及跟"), "+")


def _next(masked: str, place: int) -> int:
    return place + 1 if masked[place : place + 1] == " " else place


def _cjk_words(chunk: str, start: int, *, glued: bool, followed: bool) -> Iterator[Token]:
    runs = [(match.start() + start, match.group()) for match in _RUN.finditer(chunk)]
    piece: _Piece | None = None
    for number, (place, run) in enumerate(runs):
        last = number == len(runs) - 1
        if not "ぁ" <= run[0] <= "ゖ":
            if piece is None:
                piece = _Piece(place, place)
            piece.end = place + len(run)
            continue
        if piece is None:
            first = _first_kana(run, glued=glued and number == 0, alone=last, followed=followed)
            if _LINK.match(run) and first:
                yield Token(place, place + 1, "link")
            if first < len(run):
                piece = _Piece(place + first, place + len(run))
            continue
        honorific = _HONORIFIC_KANA.match(run)
        rest = run[honorific.end() :] if honorific else run
        joins = rest == "の" and not last and not honorific
        grammar = phrases.PARTICLES.fullmatch(rest)
        if last and followed and rest in _END_OF_A_WORD:
            grammar = None  # 引き出し 3台
        if not honorific and not grammar and (not last or followed):
            joins = True
        if joins:
            piece.end = place + len(run)
            continue
        piece.to, piece.after = bool(honorific), rest
        yield from _finished(piece, chunk, start, followed=False)
        if _LINK.match(rest):
            yield Token(place, place + 1, "link")
        piece = None
    if piece is not None:
        yield from _finished(piece, chunk, start, followed=followed)


def _first_kana(run: str, *, glued: bool, alone: bool, followed: bool) -> int:
    """How much of the kana that a chunk begins with is grammar; the rest begins a word."""
    if alone and not followed:
        return len(run)
    if glued:
        if phrases.PARTICLES.fullmatch(run):
            return len(run)
        particle = _ONE_PARTICLE.match(run)
        return particle.end() if particle else 0
    if run in ("お", "ご"):
        return 0
    return len(run) if phrases.PARTICLES.fullmatch(run) or phrases.SMALL_KANA.fullmatch(run) else 0


def _finished(piece: _Piece, chunk: str, start: int, *, followed: bool) -> Iterator[Token]:
    text = chunk[piece.start - start : piece.end - start]
    honorific = _HONORIFIC_END.search(text)
    if honorific:
        text, piece.to = text[: honorific.start()], True
    leading = phrases.LEADING.match(text)
    begin = leading.end() if leading and leading.end() < len(text) else 0
    trailing = phrases.TRAILING.search(text)
    end = trailing.start() if trailing and trailing.start() > begin else len(text)
    if not followed and companies.DEPARTMENT.fullmatch(text):
        return
    if begin < end and _LETTER.search(text, begin, end) and not _small(text[begin:end], followed):
        said = _SAID.search(piece.after) is not None
        particle = piece.after.startswith(("を", "と", "や")) or not piece.after
        talk = leading is not None and _CHINESE_TALK.search(leading[0]) is not None
        aside = said or not particle or talk
        yield Token(
            piece.start + begin,
            piece.start + end,
            Word(to=piece.to, aside=aside, alone=not aside),
        )


def _small(word: str, followed: bool) -> bool:
    return phrases.SMALL.fullmatch(word) is not None and not (
        followed
        and phrases.SMALL_KANA.fullmatch(word) is None
        and re.fullmatch(r"[ぁ-ゖ]{2,}", word)
    )


def _latin_words(chunks: list[tuple[int, int]], masked: str) -> Iterator[Token]:
    """Neighbouring words that are no words of asking make one: time machine."""
    start = end = -1
    for chunk_start, chunk_end in chunks:
        text = masked[chunk_start:chunk_end]
        bare = text.strip(".'\"-_&@$%^`")
        small = not _LETTER.search(bare) or bare.removesuffix("'s") in phrases.ENGLISH_SMALL
        if start >= 0 and (small or masked[end:chunk_start].strip(" ") or chunk_start - end > 1):
            yield _latin(start, end, masked)
            start = -1
        if small:
            if bare in ("and", "plus"):
                yield Token(chunk_start, chunk_end, "link")
            continue
        offset = text.index(bare)
        begin = chunk_start + offset
        start, end = (begin if start < 0 else start), begin + len(bare.removesuffix("'s"))
    if start >= 0:
        yield _latin(start, end, masked)


_TO_ENGLISH = re.compile(
    r"(?:\b(?:for|to|from|attn\.?|attention)|[给給为為向])"
    r"(?: the| our| my| client| customer)*[ :]*$"
)
_ASIDE = re.compile(
    r"\b(?:in|at|on|is|am|are|was|dear|hi|hello|hey|thanks|regards|via|with|by|our|your|my|this"
    r"|that|i'm|mr|ms|mrs)\.?,?(?: the| a)? ?$"
)


def _latin(start: int, end: int, masked: str) -> Token:
    before = masked[max(0, start - 24) : start]
    to = _TO_ENGLISH.search(before) is not None or _HONORIFIC_KANA.match(masked, end) is not None
    to = to or re.match(r" ?(?:御中|様|殿|宛|あて)", masked[end : end + 3]) is not None
    aside = not to and _ASIDE.search(before) is not None
    return Token(start, end, Word(to=to, aside=aside, alone=_alone(masked, start, end)))


def _alone(masked: str, start: int, end: int) -> bool:
    """Whether a word stands by itself between two pauses or names, as in a list."""
    left = masked[max(0, start - 40) : start]
    right = masked[end : end + 40]
    return _NOTHING_LEFT.search(left) is not None and _NOTHING_RIGHT.match(right) is not None


_NOTHING_LEFT = re.compile(
    rf"(?:^|[{CLAIMED},、。;:\n])\s*(?:(?:and|plus|also|an?|the|some|please|quote)\s+)*$"
)
_NOTHING_RIGHT = re.compile(
    rf"(?:\s*(?:please|too|as well))?\s*(?:$|[{CLAIMED},、。;.!\n]|and\b|plus\b)"
)
