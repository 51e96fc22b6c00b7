"""By when a small supplier has to be paid, and what may not be taken off (取適法).

中小受託取引適正化法 (since 2026-01-01; before that 下請法) 3条1項: within 60 days of receipt, of
which the day of receipt is the first. By its guidelines a fixed closing at the end of each month
with payment at the end of the next is within the law, although two months of 31 days are 62.
5条1項3号 forbids to take anything off; by its guidelines a bank's fee as well, whatever was
agreed.
"""

from datetime import date, timedelta

from core.bank_days import is_bank_day, previous_bank_day
from core.reading.calendar import month_end, month_from
from core.words import Words

DAYS = 60
"""Days from receipt, that day included."""

LATE = Words(
    ja="取適法: 受領日 {received} から60日以内（{limit} まで）に支払う必要がありますが、"
    "振込日は {pay_on} です（{days}日目）。",
    en="Act on small suppliers (取適法): received on {received}, it has to be paid by {limit}, "
    "within 60 days, but the transfer is on {pay_on} (day {days}).",
    zh="取适法: {received} 受领，须在60日内（{limit} 前）支付，但汇款日为 {pay_on}（第{days}日）。",
)
FEE_TAKEN_OFF = Words(
    ja="取適法: 振込手数料（{fee}円）を代金から差し引くことはできません。",
    en="Act on small suppliers (取適法): a bank's fee (¥{fee}) can't be taken off the price.",
    zh="取适法: 不得从货款中扣除汇款手续费（{fee}日元）。",
)
LIMIT_CLOSED = Words(
    ja="支払期限 {limit} は銀行休業日です。{before} までに振り込んでください。",
    en="Banks are closed on the last day, {limit}. Pay by {before}.",
    zh="最后期限 {limit} 为银行休息日。请在 {before} 前汇款。",
)


def last_day(received_on: date) -> date:
    """The last day on which what was received then can be paid."""
    sixtieth = received_on + timedelta(days=DAYS - 1)
    closing = month_end(*month_from(received_on, 1))
    return max(sixtieth, closing) if closing is not None else sixtieth


def breaches(received_on: date, pay_on: date, fee_taken_off: int = 0) -> tuple[Words, ...]:
    """What a payment breaks; to be shown before it is approved. `fee_taken_off` in yen."""
    found: list[Words] = []
    limit = last_day(received_on)
    if pay_on > limit:
        days = (pay_on - received_on).days + 1
        found.append(LATE.fill(received=received_on, limit=limit, pay_on=pay_on, days=days))
        if not is_bank_day(limit):
            found.append(LIMIT_CLOSED.fill(limit=limit, before=previous_bank_day(limit)))
    if fee_taken_off:
        found.append(FEE_TAKEN_OFF.fill(fee=f"{fee_taken_off:,}"))
    return tuple(found)
