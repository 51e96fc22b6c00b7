"""Words of a legal form, which may be left out of a name: 株式会社, (株), K.K., 有限公司."""

import re

from core.reading.text import fold

_CJK = (
    "株式会社|有限会社|合同会社|合資会社|合名会社|一般社団法人|一般財団法人|公益社団法人|公益財団法人|社団法人"
    "|財団法人|医療法人社団|医療法人財団|医療法人|社会福祉法人|学校法人|宗教法人|特定非営利活動法人|npo法人"
    "|独立行政法人|国立大学法人|協同組合|股份有限公司|有限责任公司|有限責任公司|有限公司|公司|株式會社"
)
_SHORT = r"\((?:株|有|同|資|名|医|社|財|一社|公財|学|福|株式会社|有限会社)\)"
ENGLISH_FORM = (
    r"(?:k\.? ?k\.?|g\.? ?k\.?|y\.? ?k\.?|inc\.?|incorporated|corp\.?|corporation|co\.?,? ?ltd\.?"
    r"|company,? limited|co\.|ltd\.?|limited|llc|l\.l\.c\.|plc|gmbh|ag|pte\.? ?ltd\.?"
    r"|pty\.? ?ltd\.?|s\.a\.|company)"
)
LEGAL_FORM = rf"(?:{_CJK}|{_SHORT}|(?<![a-z]){ENGLISH_FORM}(?![a-z]))"
_ANY = re.compile(LEGAL_FORM)
_BEFORE = re.compile(rf"(?:{_CJK}|{_SHORT}) ?$")
_AFTER = re.compile(rf"社(?![一-龯])|,? ?(?:{_CJK}|{_SHORT}|(?<![a-z]){ENGLISH_FORM}(?![a-z]))")


def without_legal_form(name: str) -> str:
    """A folded name without its legal form; the name itself where nothing else is in it."""
    folded = fold(name).text
    return _ANY.sub(" ", folded).strip(" ,") or folded


def around(text: str, start: int, end: int) -> tuple[int, int]:
    """The place of a name together with the legal form that stands before or after it."""
    before = _BEFORE.search(text, max(0, start - 14), start)
    after = _AFTER.match(text, end)
    return (before.start() if before else start, after.end() if after else end)
