"""Authentication-Results (RFC 8601): what the provider that took a mail in found out about it.

Anybody can write such a header into a mail. Believed is what the provider put on top: the first
block of these headers that are by a name it is known to use; of one name only the first that speaks
of SPF, DKIM or DMARC, and of one method only the first that tells it. What stands below that may
have come with the mail.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "none", "absent"]
"""`none`: the provider does not say that the sender's domain is behind it. `absent`: no
provider that is trusted says anything about SPF, DKIM or DMARC."""

_NAME = "authentication-results"  # never ARC-Authentication-Results: whoever forwards writes those
_CORE = frozenset({"spf", "dkim", "dmarc"})
_BELOW = frozenset(
    {"received", "dkim-signature", "from", "to", "subject", "date", "message-id", "mime-version"}
)
"""What a provider puts no results of its own beneath, once it has begun: they are on top of what
came, or of what another of its servers found."""
_MOST = 50  # headers looked at; a provider writes a handful
_LONGEST = 16_384  # characters of one

# RFC 8601, 2.2: `method/version=result reason="…" ptype.property=value …`, comments taken out.
# Begun at a word's first letter only: else one long word would be tried from each of its letters.
_PAIR = re.compile(
    r'(?<![\w.-])([A-Za-z][\w.-]*)(?:\s*/\s*\d+)?\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;"]+)'
)
_ID = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^\s;="]+)(?:\s+\d+)?\s*')


@dataclass(frozen=True, slots=True)
class Judged:
    """What is believed of where a mail came from. `by`: `dmarc` or `dkim`, for a pass. `why` is for
    the log, in English."""

    verdict: Verdict
    by: Literal["dmarc", "dkim", ""] = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One method's result, with its properties (`header.from`), all in lower case."""

    method: str
    result: str
    properties: Sequence[tuple[str, str]] = ()

    def values(self, name: str) -> list[str]:
        """What a property says; of a header that is as it should be, one."""
        return [value for each, value in self.properties if each == name]


@dataclass(frozen=True, slots=True)
class Results:
    """One header. `authserv_id` is '' where it has none, as Outlook.com's."""

    authserv_id: str
    results: Sequence[Result]
    broken: bool = False
    """A comment or a quotation in it has no end, or begins within a value: what its provider
    copied from the mail may have swallowed what the provider itself says."""


def judge(
    headers: Sequence[tuple[str, str]],
    from_domain: str,
    authserv_ids: Sequence[str],
    *,
    topmost: bool = False,
) -> Judged:
    """What those who are trusted say of a mail of that domain.

    `headers` are all of the mail, from the top. `authserv_ids` and `topmost` as bot.email.boxes'
    `Trust` has them.
    """
    believed = list(_believed(headers, authserv_ids, topmost=topmost))
    if not believed:
        return Judged("absent", why="no results of a trusted server")
    if any(header.broken for header in believed):
        return Judged("none", why="results with a comment or a quotation that is left open")
    domain = ascii_domain(from_domain)
    results = [result for header in believed for result in header.results]
    dmarc = [result for result in results if result.method == "dmarc"]
    if len(dmarc) > 1:
        return Judged("none", why="several results of DMARC in what should have one")
    if dmarc and dmarc[0].result != "none":
        return _by_dmarc(dmarc[0], domain)
    # A domain without a policy has no result of DMARC; its aligned signature is half of one.
    if _signed(results, domain):
        return Judged("pass", "dkim", f"dkim=pass for {domain}")
    said = ", ".join(f"{each.method}={each.result}" for each in results if each.method in _CORE)
    return Judged("none", why=said[:200])


def _by_dmarc(result: Result, domain: str) -> Judged:
    if result.result == "fail":
        return Judged("fail", why="dmarc=fail")
    if result.result != "pass":
        return Judged("none", why=f"dmarc={result.result[:50]}")
    named = [ascii_domain(value) for value in result.values("header.from")]
    if named == [domain]:
        return Judged("pass", "dmarc", f"dmarc=pass header.from={domain}")
    return Judged("none", why="dmarc=pass for another domain than that of From")


def ascii_domain(value: str) -> str:
    """The domain of an address or a domain, in lower case as the DNS has it (RFC 5891)."""
    domain = value.strip("<> ").rpartition("@")[2].rstrip(".").lower()
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def parse(value: str) -> Results:
    """Read a header's value, whatever is in it."""
    text, open_ended = _without_comments(value[:_LONGEST])
    broken = open_ended or len(value) > _LONGEST
    head, *rest = _segments(text)
    found = _ID.fullmatch(head)
    if found is None or _PAIR.fullmatch(head.strip()):
        rest.insert(0, head)  # no id: it begins with a result
    authserv_id = _bare(found[1]).lower() if found is not None else ""
    results = [each for text in rest if (each := _result(text)) is not None]
    return Results(authserv_id, results, broken)


def _believed(
    headers: Sequence[tuple[str, str]], authserv_ids: Sequence[str], *, topmost: bool
) -> Iterator[Results]:
    """The headers that count, from the top."""
    begun, written, spoken = False, 0, set[str]()
    for name, value in headers:
        if name.lower() != _NAME:
            if begun and name.lower() in _BELOW:
                return
            continue
        header, written = parse(value), written + 1
        if topmost and written == 1 and not header.authserv_id:
            yield header
            return
        rule = _rule(header, authserv_ids)
        if (begun and not rule) or written > _MOST:
            return
        begun = begun or bool(rule)
        methods = {each.method for each in header.results} & _CORE
        if rule and header.broken:
            yield header
        elif rule and rule not in spoken and methods:
            yield _but(header, spoken)
            spoken |= {rule, *methods}


def _but(header: Results, methods: Collection[str]) -> Results:
    """A header without what was spoken of above it."""
    return Results(
        header.authserv_id, [each for each in header.results if each.method not in methods]
    )


def _rule(header: Results, authserv_ids: Sequence[str]) -> str:
    """Which of the trusted ids a header is by; '' for none of them."""
    for rule in authserv_ids:
        wanted = rule.lower()
        if wanted.startswith("*."):
            if header.authserv_id.endswith(wanted[1:]):
                return wanted
        elif header.authserv_id == wanted:
            return wanted
    return ""


def _signed(results: Sequence[Result], domain: str) -> bool:
    for result in results:
        if result.method == "dkim" and result.result == "pass":
            named = result.values("header.d") or result.values("header.i")
            # Exactly: one who signs for a domain above may sign for all who have one below it.
            if [ascii_domain(value) for value in named] == [domain]:
                return True
    return False


def _result(text: str) -> Result | None:
    pairs = [(name.lower(), _bare(value).lower()) for name, value in _PAIR.findall(text)]
    if not pairs:
        return None
    (method, result), *properties = pairs
    return Result(method, result.rstrip(_CUT), properties)


def _bare(value: str) -> str:
    if value.startswith('"'):
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def _segments(text: str) -> list[str]:
    """What stands between semicolons that are in no quoted string."""
    found, begun, quoted, at = [], 0, False, 0
    while at < len(text):
        char = text[at]
        if quoted and char == "\\":
            at += 1
        elif char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            found.append(text[begun:at])
            begun = at + 1
        at += 1
    return [*found, text[begun:]]


_APART = ("", " ", "\t", "\r", "\n", ";", "=", "(", ")", "/")
"""What words are told apart by."""
_CUT = "\0"
"""In place of a comment that begins within a word. `d=bank.example(.evil.example)` is not the name
`bank.example`, whoever wrote it so."""


def _without_comments(text: str) -> tuple[str, bool]:
    """The text, and whether a comment or a quotation in it is left open, or a quotation begins or
    ends within a word (RFC 5322, 3.2.2: comments nest)."""
    kept: list[str] = []
    depth, quoted, broken, at = 0, False, False, 0
    while at < len(text):
        char = text[at]
        if char == "\\" and (depth or quoted):
            if not depth:
                kept.append(text[at : at + 2])
            at += 2
            continue
        if quoted:
            quoted = char != '"'
            broken = broken or not (quoted or text[at + 1 : at + 2] in _APART)
            kept.append(char)
        elif char == "(":
            if not depth and kept and kept[-1] not in _APART:
                kept.append(_CUT)
            depth += 1
            kept.append(" ")
        elif char == ")" and depth:
            depth -= 1
        elif not depth:
            quoted = char == '"'
            broken = broken or (quoted and bool(kept) and kept[-1] not in _APART)
            kept.append(char)
        at += 1
    return "".join(kept), broken or depth > 0 or quoted
