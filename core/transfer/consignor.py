"""Who pays, as the company's particulars have it (`miyabi company set transfer.code=…`)."""

from collections.abc import Mapping
from dataclasses import replace

from core.errors import Permanent, Refused
from core.transfer import banks
from core.transfer.kana import zengin
from core.transfer.records import CONSIGNOR, CONSIGNOR_LONGEST, Account
from core.words import Words

OPTIONS = ("code", "kana", "bank", "branch", "kind", "number")
"""`code` the consignor's code of 10 digits, `kana` the consignor's name, the rest the account."""

MISSING = Words(
    ja="振込元が設定されていません（{missing}）。"
    "「miyabi company set transfer.code=… transfer.kana=…」で設定してください。",
    en="Where transfers are paid from is not set ({missing}). Set it with “miyabi company set "
    "transfer.code=… transfer.kana=…”.",
    zh="尚未设置汇款账户（{missing}）。请用“miyabi company set transfer.code=… transfer.kana=…”"
    "进行设置。",
)
_BAD_CODE = Words(
    ja="{what}は10桁の数字です。", en="{what} has 10 digits.", zh="{what}为10位数字。"
)
_LONG_NAME = Words(
    ja="振込依頼人名「{name}」が長すぎます（{longest}文字まで）。",
    en="The consignor's name “{name}” is too long ({longest} characters).",
    zh="汇款人名称“{name}”过长（最多{longest}个字符）。",
)
_NO_SAVINGS = Words(
    ja="貯蓄預金からは振り込めません。",
    en="Nothing can be transferred from a savings account.",
    zh="储蓄预金账户不能汇款。",
)


def option(key: str, value: str) -> str:
    """One item as it is stored. Raises Refused for what can't be. That the branch is the bank's is
    found out when both are there (`payer`)."""
    if key == "code":
        if not (len(value) == 10 and value.isascii() and value.isdigit()):
            raise Refused(_BAD_CODE.fill(what=CONSIGNOR))
        return value
    if key == "kana":
        spelled = zengin(value)
        if len(spelled) > CONSIGNOR_LONGEST:
            raise Refused(_LONG_NAME.fill(name=spelled, longest=CONSIGNOR_LONGEST))
        return spelled
    if key == "bank":
        return banks.bank(value).code
    return value


def payer(options: Mapping[str, str] | None) -> tuple[str, Account]:
    """The consignor's code, and the account that is paid from. Raises Permanent where something is
    missing, Refused where it does not fit."""
    given = options or {}
    missing = [key for key in OPTIONS if not given.get(key)]
    if missing:
        raise Permanent(MISSING.fill(missing=", ".join(f"transfer.{key}" for key in missing)))
    found = banks.account(
        given["bank"], given["branch"], given["kind"], given["number"], given["kana"]
    )
    if found.kind == "4":
        raise Refused(_NO_SAVINGS)
    # The consignor's name may be longer than a payee's.
    return given["code"], replace(found, holder=given["kana"])
