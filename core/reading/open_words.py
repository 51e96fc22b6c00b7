"""What to make of words that are no known name: a stranger's name, an unknown thing, or talk."""

from dataclasses import replace

from core.reading.index import Index, Name
from core.reading.searching import item_candidates
from core.reading.text import key_of
from core.reading.tokens import Draft, Token, Word


def customer_word(tokens: list[Token], drafts: list[Draft]) -> Token | None:
    """The words that name a customer who is not known, if any.

    A company's name by its shape, else whoever is addressed, else what stands before the items.
    """
    words = [token for token in tokens if isinstance(token.value, Word)]
    for token in words:
        if _word(token).company:
            return token
    for token in words:
        if _word(token).to:
            return token
    return _first_word(tokens, drafts)


def _word(token: Token) -> Word:
    assert isinstance(token.value, Word)  # noqa: S101  (callers have filtered)
    return token.value


def _first_word(tokens: list[Token], drafts: list[Draft]) -> Token | None:
    """未知商店 モニター2台: the first word, before any item, with no quantity of its own."""
    if len(drafts) < 2 or not any(draft.known or draft.quantity for draft in drafts[1:]):
        return None
    first = drafts[0]
    place = tokens.index(first.token)
    earlier = any(isinstance(token.value, Name) for token in tokens[:place])
    linked = place + 1 < len(tokens) and tokens[place + 1].value == "link"
    if first.known or first.quantity or earlier or linked or _word(first.token).measure:
        return None
    return None if _word(first.token).candidates else first.token


def joined_words(tokens: list[Token], text: str, *, customer_known: bool) -> list[Token]:
    """Words with only a blank between them name one thing: レーザー プリンター.

    Where no customer is known, the first of them may be the customer and stays alone.
    """
    joined: list[Token] = []
    for token in tokens:
        last = joined[-1] if joined else None
        certain = customer_known or len(joined) > 1
        if (
            last is None
            or not certain
            or text[last.end : token.start] != " "
            or not _is_thing(last)
        ):
            joined.append(token)
        elif _is_thing(token) or _is_described(last, token, text):
            codes = (*_codes(last), *_codes(token))
            joined[-1] = Token(last.start, token.end, replace(_word(last), candidates=codes))
        else:
            joined.append(token)
    return joined


def _codes(token: Token) -> tuple[str, ...]:
    value = token.value
    if isinstance(value, Name):
        return value.codes
    return value.candidates if isinstance(value, Word) else ()


def _is_described(word: Token, name: Token, text: str) -> bool:
    """Gaming monitors are not simply monitors."""
    item = isinstance(name.value, Name) and name.value.kind == "item"
    return item and text[word.start : word.end].isascii() and text[name.start : name.end].isascii()


def _is_thing(token: Token) -> bool:
    word = token.value
    return isinstance(word, Word) and not (word.to or word.company or word.aside)


def unknown_words(draft: Draft) -> bool:
    """Whether the words of a line ask for something, rather than being said in passing."""
    word = draft.token.value
    return isinstance(word, Word) and (draft.quantity is not None or word.alone)


def match_words(
    words: str, draft: Draft, index: Index, *, search: bool
) -> tuple[bool, tuple[str, ...]]:
    """Whether words name several items (パソコン), and the codes to choose from, nearest first."""
    word = draft.token.value
    if isinstance(word, Word) and word.candidates:
        return False, word.candidates
    head = index.heads.get(key_of(words), ())
    if head:
        return len(head) > 1, head
    return False, item_candidates(words, index) if search else ()
