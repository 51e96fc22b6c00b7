"""Reads a file of rules. Whatever is wrong with it is said with its line and its reason."""

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from importlib.resources import files

from pydantic import TypeAdapter, ValidationError

from core.approvals.route_file import read_toml, refuse_found
from core.approvals.toml_lines import Path
from core.approvals.wrong_shape import told
from core.notices import Recipient
from core.words import Words, same
from notifier.hub.rules import ALONE, ANY, BY_NAME, HERE, Rule, RuleFile, Rules, recipient

_TWICE = Words(
    ja="「{name}」という規則が2つあります。",
    en="Two rules are called “{name}”.",
    zh="有两条名为“{name}”的规则。",
)
_NO_RECIPIENT = Words(
    ja="「{text}」は宛先ではありません。使えるもの: {known}",
    en="“{text}” is no recipient. There are: {known}",
    zh="“{text}”不是收件人。可用: {known}",
)
_NOBODY = Words(
    ja="「{text}」に当たるものがありません。あるもの: {known}",
    en="There is nothing called “{text}”. There are: {known}",
    zh="没有“{text}”。可用: {known}",
)
_NO_CHANNEL = Words(
    ja="「{text}」という経路はありません。あるもの: {known}",
    en="There is no channel “{text}”. There are: {known}",
    zh="没有渠道“{text}”。可用: {known}",
)
_NONE = Words(ja="なし", en="none", zh="无")
_RECIPIENTS = ", ".join([*(f"{kind}:…" for kind in BY_NAME), *ALONE])


def read_rules(source: str, channels: Collection[str] | None = None) -> tuple[Rule, ...]:
    """The rules of a file's text, in order. Raises WrongRoute (which is Refused), with lines.

    Without `channels` it is not known here which there are, and so not checked.
    """
    found: list[tuple[Path, Words]] = []
    rules: tuple[Rule, ...] = ()
    try:
        rules = _adapter().validate_python(read_toml(source)).rules
    except ValidationError as error:
        found = told(error)
    names: set[str] = set()
    for place, rule in enumerate(rules):
        if rule.name in names:
            found.append((("rules", place, "name"), _TWICE.fill(name=rule.name)))
        names.add(rule.name)
        found += _wrong_recipients(place, rule)
        found += _wrong_channels(place, rule, channels)
    refuse_found(found, source)
    return rules


def check_named(source: str, rules: Iterable[Rule], known: dict[str, Collection[str]]) -> None:
    """Refuse rules that name a person, role, rota or place that is not among the known, which are
    by kind of recipient. Raises WrongRoute."""
    found = []
    for place, rule in enumerate(rules):
        for path, text in _recipients(place, rule):
            said = recipient(text)
            names = known.get(said.kind)
            if names is not None and said.of not in names:
                listed = same(", ".join(sorted(names))) if names else _NONE
                found.append((path, _NOBODY.fill(text=said.of, known=listed)))
    refuse_found(found, source)


@lru_cache(maxsize=1)
def default_source() -> str:
    """The text of the rules that came with Miyabi."""
    return files("notifier.hub").joinpath("rules_default.toml").read_text(encoding="utf-8")


@lru_cache(maxsize=256)
def rules_of(source: str = "", version: int = 0) -> Rules:
    """A company's rules before those that came with Miyabi."""
    own = read_rules(source) if source else ()
    return Rules((*own, *read_rules(default_source())), version)


def recipients_of(rule: Rule) -> list[Recipient]:
    """Who hears it by a rule."""
    return [recipient(text) for text in rule.to]


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[RuleFile]:
    return TypeAdapter(RuleFile)


def _recipients(place: int, rule: Rule) -> Iterator[tuple[Path, str]]:
    for at, text in enumerate(rule.to):
        yield ("rules", place, "to", at), text
    for rung, texts in enumerate(rule.ladder.rungs if rule.ladder else ()):
        for at, text in enumerate(texts):
            yield ("rules", place, "ladder", "rungs", rung, at), text


def _wrong_recipients(place: int, rule: Rule) -> Iterator[tuple[Path, Words]]:
    for path, text in _recipients(place, rule):
        try:
            recipient(text)
        except ValueError:
            yield path, _NO_RECIPIENT.fill(text=text, known=_RECIPIENTS)


def _wrong_channels(
    place: int, rule: Rule, known: Collection[str] | None
) -> Iterator[tuple[Path, Words]]:
    if known is None:
        return
    names = [HERE, ANY, *sorted(known)]
    for key in ("channels", "then"):
        for at, text in enumerate(getattr(rule, key)):
            if text not in names:
                path: Path = ("rules", place, key, at)
                yield path, _NO_CHANNEL.fill(text=text, known=", ".join(names))
