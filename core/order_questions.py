"""From a reading to a complete order: what the answers settle, and what to ask next."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from core.catalogue import Catalogue, Item
from core.errors import Choice, NeedsInput, Question
from core.line_lists import Listed, latest
from core.order import Open, Order, OrderLine, Reading
from core.reading.order import match_items, read_customer, read_items, read_order, read_quantity
from core.words import Words, lines, same

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
WRONG_LIST = Words(
    ja="明細「{name}」に直すところがあります。直したファイルを送るか、その行を除いて進めてください。",
    en="The list “{name}” needs mending. Send it once more, or go on without these rows:",
    zh="明细“{name}”有需要修改之处。请重新发送修改后的文件，或去掉这些行继续:",
)
WHICH_LIST = Words(
    ja="明細のファイルがいくつかあります。どれで見積もりますか？",
    en="There are several lists. Which of them shall be quoted?",
    zh="有多个明细文件。请问按哪一个报价？",
)
TOGETHER = Words(ja="すべて合わせる", en="All of them together", zh="全部合并")
ONLY = Words(ja="「{name}」だけ", en="Only “{name}”", zh="仅“{name}”")
ALL = "+"
"""The answer that takes all lists."""
MORE_WRONG = Words(ja="ほか{count}件", en="and {count} more", zh="另有{count}处")
WITHOUT_ROWS = Words(ja="その行を除いて進める", en="Go on without them", zh="去掉这些行继续")
NO_LIST = Words(
    ja="「{names}」には「コード」と「数量」の見出しの列が見つかりません。{again}",
    en="“{names}” has no columns headed “code” and “quantity”. {again}",
    zh="“{names}”中没有标题为“编码”和“数量”的列。{again}",
)
MOST_WRONG = 8
"""So many rows of a list are named in a question; the others are counted."""
_ABOUT_LISTS = re.compile(
    r"添付|別紙|別添|リスト|一覧|明細|ファイル|エクセル|附件|附表|清单|excel|csv|attach|enclosed|\blist\b",
    re.IGNORECASE,
)
DROP = "-"
"""The answer that leaves an item out."""


def settle(
    reading: Reading,
    answers: Mapping[str, str],
    catalogue: Catalogue,
    today: date,
    lists: Sequence[Listed] = (),
    no_lists: Sequence[str] = (),
) -> Order:
    """The complete order. Raises NeedsInput with the next question while something is open.

    `lists` came with it, in their order; `no_lists` are the names of tables that are none.
    """
    listed = _listed(lists, answers)
    if lists:
        reading = replace(reading, unknown=tuple(filter(_names_an_item, reading.unknown)))
    customer = _customer(reading, answers, catalogue)
    wanted = [*_lines(reading, answers, catalogue), *listed]
    if not wanted:
        wanted = _asked_for(answers, catalogue, today, no_lists)
    return Order(
        customer=customer,
        lines=tuple(_added_up(wanted)),
        due=reading.due,
        discount_percent=reading.discount_percent,
        discount_amount=reading.discount_amount,
    )


def _names_an_item(open_: Open) -> bool:
    """Not where it only says that there is a list: 添付リスト3点, as attached."""
    return bool(open_.candidates) or _ABOUT_LISTS.search(open_.words) is None


def _listed(lists: Sequence[Listed], answers: Mapping[str, str]) -> list[OrderLine]:
    """The lines of the lists that count: of several those that somebody has said, as a second one
    may be meant instead of the first; the rows of one with something wrong only once they have said
    to go on without those."""
    found: list[OrderLine] = []
    for each in _meant(latest(lists), answers):
        key = f"list:{each.sha256[:16]}"
        if each.wrong and answers.get(key) != DROP:
            told = [*each.wrong[:MOST_WRONG]]
            if len(each.wrong) > MOST_WRONG:
                told.append(MORE_WRONG.fill(count=len(each.wrong) - MOST_WRONG))
            prompt = lines([WRONG_LIST.fill(name=each.name), *told])
            raise _ask(key, prompt, answers, [Choice(DROP, WITHOUT_ROWS)])
        found += each.lines
    return found


def _meant(lists: Sequence[Listed], answers: Mapping[str, str]) -> Sequence[Listed]:
    if len(lists) < 2:
        return lists
    key = "lists:" + "-".join(each.sha256[:8] for each in lists)
    answer = answers.get(key, "")
    chosen = [each for each in lists if answer in {each.sha256, each.name}]
    if answer == ALL:
        return lists
    if len(chosen) != 1:
        choices = [Choice(each.sha256, ONLY.fill(name=each.name)) for each in reversed(lists)]
        raise _ask(key, WHICH_LIST, answers, [Choice(ALL, TOGETHER), *choices])
    return chosen


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
        meant = _rewritten(words, answer, catalogue) if answer else ()
        if not meant:
            prompt = BAD_QUANTITY.fill(words=words)
            raise _ask(key, prompt, answers, [Choice(DROP, LEAVE_OUT)])
        yield from meant


def _rewritten(words: str, answer: str, catalogue: Catalogue) -> tuple[OrderLine, ...]:
    written = tuple(read_items(answer, catalogue))
    if written:
        return written
    quantity, matched = read_quantity(answer), match_items(words, catalogue)
    if quantity is not None and len(matched) == 1:
        return (OrderLine(matched[0], quantity),)
    return ()


def _asked_for(
    answers: Mapping[str, str], catalogue: Catalogue, today: date, no_lists: Sequence[str]
) -> list[OrderLine]:
    """Nothing was named at all, so it was asked for."""
    answer = answers.get("items")
    if answer:
        found = _lines(read_order(answer, catalogue, today), answers, catalogue)
        if found:
            return found
    prompt = ASK_ITEMS
    if no_lists:
        prompt = NO_LIST.fill(names=same(", ".join(no_lists)), again=ASK_ITEMS)
    raise _ask("items", prompt, answers)


def _added_up(wanted: Iterable[OrderLine]) -> Iterable[OrderLine]:
    """The same item at the same price is one line."""
    sums: dict[tuple[str, int | None], int] = {}
    for line in wanted:
        key = (line.code, line.unit_price)
        sums[key] = sums.get(key, 0) + line.quantity
    return [OrderLine(code, quantity, price) for (code, price), quantity in sums.items()]
