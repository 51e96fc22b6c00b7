"""From a reading to a complete order: what the answers settle, and what to ask next."""

from collections.abc import Iterable, Mapping
from datetime import date

from core.catalogue import Catalogue, Item
from core.errors import Choice, NeedsInput, Question
from core.order import Open, Order, OrderLine, Reading
from core.reading.order import match_items, read_customer, read_items, read_order, read_quantity
from core.words import Words, same

ASK_CUSTOMER = Words(
    ja="どのお客様への見積ですか？名前を書いてください。",
    en="For which customer is it? Please write the name.",
    zh="请问是给哪位客户的？请写出名称。",
)
UNKNOWN_CUSTOMER = Words(
    ja="お客様「{words}」は一覧にありません。どのお客様ですか？",
    en="The customer list has no “{words}”. Which customer is meant?",
    zh="客户名单中没有“{words}”。请问是哪位客户？",
)
ASK_ITEMS = Words(
    ja="何をいくつ見積もりますか？（例: モニター5台、キーボード10個）",
    en="What shall be quoted, and how many? (for example: 5 x monitor, 10 x keyboard)",
    zh="需要报价哪些商品，各多少？（例如: 显示器5台，键盘10个）",
)
WHICH_ITEM = Words(
    ja="「{words}」に当てはまる品目がいくつかあります。どれですか？",
    en="“{words}” matches several items. Which one?",
    zh="“{words}”对应多个品目。请问是哪一个？",
)
UNKNOWN_ITEM = Words(
    ja="「{words}」は価格表にありません。近いものから選ぶか、品目名を書いてください。",
    en="The price list has no “{words}”. Choose the nearest or write the item's name.",
    zh="价目表中没有“{words}”。请选择相近的品目或写出品目名称。",
)
HOW_MANY = Words(
    ja="「{item}」はいくつですか？（単位: {unit}）",
    en="How many of “{item}”? (unit: {unit})",
    zh="“{item}”需要多少？（单位: {unit}）",
)
BAD_QUANTITY = Words(
    ja="「{words}」の数量は使えません。1以上の整数で書き直してください。",
    en="The quantity in “{words}” can't be used. Write it as a whole number of at least 1.",
    zh="“{words}”的数量无效。请改写为1以上的整数。",
)
NOT_UNDERSTOOD = Words(
    ja="「{answer}」は分かりませんでした。{again}",
    en="“{answer}” was not understood. {again}",
    zh="无法理解“{answer}”。{again}",
)
LEAVE_OUT = Words(ja="この品目は除く", en="Leave it out", zh="去掉该品目")
DROP = "-"
"""The answer that leaves an item out."""


def settle(
    reading: Reading, answers: Mapping[str, str], catalogue: Catalogue, today: date
) -> Order:
    """The complete order. Raises NeedsInput with the next question while something is open."""
    customer = _customer(reading, answers, catalogue)
    lines = _lines(reading, answers, catalogue) or _asked_for(answers, catalogue, today)
    return Order(
        customer=customer,
        lines=tuple(_added_up(lines)),
        due=reading.due,
        discount_percent=reading.discount_percent,
        discount_amount=reading.discount_amount,
    )


def _lines(reading: Reading, answers: Mapping[str, str], catalogue: Catalogue) -> list[OrderLine]:
    return [
        *reading.lines,
        *_opened(reading.ambiguous, WHICH_ITEM, answers, catalogue),
        *_opened(reading.unknown, UNKNOWN_ITEM, answers, catalogue),
        *_counted(reading.without_quantity, answers, catalogue),
        *_corrected(reading.invalid, answers, catalogue),
    ]


def _ask(
    key: str, prompt: Words, answers: Mapping[str, str], choices: Iterable[Choice] = ()
) -> NeedsInput:
    """The question; said once more with the answer that could not be used, if there was one."""
    given = answers.get(key)
    if given is not None:
        prompt = NOT_UNDERSTOOD.fill(answer=given[:60], again=prompt)
    return NeedsInput(Question(key, prompt, tuple(choices)))


def _customer(reading: Reading, answers: Mapping[str, str], catalogue: Catalogue) -> str:
    if reading.customer is not None:
        return reading.customer
    meant = reading.unknown_customer
    answer = answers.get("customer")
    if answer:
        found = answer if catalogue.customer(answer) else read_customer(answer, catalogue)
        if isinstance(found, str):
            return found
        meant = found
    if meant is None:
        raise _ask("customer", ASK_CUSTOMER, answers)
    named = [catalogue.customer(code) for code in meant.candidates]
    choices = [Choice(c.code, same(c.name)) for c in named if c is not None]
    prompt = UNKNOWN_CUSTOMER.fill(words=meant.words)
    raise NeedsInput(Question("customer", prompt, tuple(choices)))


def _opened(
    opens: Iterable[Open], prompt: Words, answers: Mapping[str, str], catalogue: Catalogue
) -> Iterable[OrderLine]:
    """Items that were named unclearly: by the answer, and then by how many."""
    for open_ in opens:
        key = f"item:{open_.words}"
        answer = answers.get(key)
        if answer == DROP:
            continue
        item = _item(answer, catalogue) if answer else None
        if item is None:
            choices = [_choice(catalogue, code) for code in open_.candidates]
            filled = prompt.fill(words=open_.words)
            raise _ask(key, filled, answers, [*choices, Choice(DROP, LEAVE_OUT)])
        quantity = open_.quantity or _quantity(item, answers)
        yield OrderLine(item.code, quantity, open_.unit_price)


def _item(answer: str, catalogue: Catalogue) -> Item | None:
    """The item an answer names: a code, or words that match exactly one."""
    known = catalogue.item(answer.strip())
    if known is not None:
        return known
    matched = match_items(answer, catalogue)
    return catalogue.item(matched[0]) if len(matched) == 1 else None


def _choice(catalogue: Catalogue, code: str) -> Choice:
    item = catalogue.item(code)
    return Choice(code, same(item.name if item else code))


def _counted(
    codes: Iterable[str], answers: Mapping[str, str], catalogue: Catalogue
) -> Iterable[OrderLine]:
    for code in codes:
        item = catalogue.item(code)
        if item is not None:
            yield OrderLine(code, _quantity(item, answers))


def _quantity(item: Item, answers: Mapping[str, str]) -> int:
    key = f"quantity:{item.code}"
    quantity = read_quantity(answers.get(key, ""))
    if quantity is None:
        raise _ask(key, HOW_MANY.fill(item=item.name, unit=item.unit), answers)
    return quantity


def _corrected(
    wrong: Iterable[str], answers: Mapping[str, str], catalogue: Catalogue
) -> Iterable[OrderLine]:
    """Lines with a quantity that can't be: the line written anew, or just the number."""
    for words in wrong:
        key = f"line:{words}"
        answer = answers.get(key)
        if answer == DROP:
            continue
        lines = _rewritten(words, answer, catalogue) if answer else ()
        if not lines:
            prompt = BAD_QUANTITY.fill(words=words)
            raise _ask(key, prompt, answers, [Choice(DROP, LEAVE_OUT)])
        yield from lines


def _rewritten(words: str, answer: str, catalogue: Catalogue) -> tuple[OrderLine, ...]:
    lines = tuple(read_items(answer, catalogue))
    if lines:
        return lines
    quantity, matched = read_quantity(answer), match_items(words, catalogue)
    if quantity is not None and len(matched) == 1:
        return (OrderLine(matched[0], quantity),)
    return ()


def _asked_for(answers: Mapping[str, str], catalogue: Catalogue, today: date) -> list[OrderLine]:
    """Nothing was named at all, so it was asked for."""
    answer = answers.get("items")
    if answer:
        lines = _lines(read_order(answer, catalogue, today), answers, catalogue)
        if lines:
            return lines
    raise _ask("items", ASK_ITEMS, answers)


def _added_up(lines: Iterable[OrderLine]) -> Iterable[OrderLine]:
    """The same item at the same price is one line."""
    sums: dict[tuple[str, int | None], int] = {}
    for line in lines:
        key = (line.code, line.unit_price)
        sums[key] = sums.get(key, 0) + line.quantity
    return [OrderLine(code, quantity, price) for (code, price), quantity in sums.items()]
