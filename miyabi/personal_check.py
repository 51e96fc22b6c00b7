"""What `miyabi doctor` says of the keys of persons: whether the master keys here open them."""

from collections.abc import Sequence

from sqlalchemy import text

from audit.subjects import WrongMasterKey
from core.platform import Finding
from core.words import Words
from miyabi.build import Built

KEYS = Words(
    ja="個人データの鍵: {keys}件、消去途中の人 {erasing}人",
    en="Keys for personal data: {keys}; people whose erasure is not ended: {erasing}",
    zh="个人数据密钥: {keys}个，删除未完成的人员: {erasing}人",
)
FIX_MASTER = Words(
    ja="マスター鍵が違います（{subject}）。以前の鍵（以前の MIYABI_SECRET_KEY など）を "
    "MIYABI_AUDIT_PERSONAL_KEY の後ろに加えてください。",
    en="The master key is another one ({subject}). Add the former one (a former MIYABI_SECRET_KEY, "
    "say) behind it in MIYABI_AUDIT_PERSONAL_KEY.",
    zh="主密钥不符（{subject}）。请将以前的密钥（如以前的 MIYABI_SECRET_KEY）"
    "加在 MIYABI_AUDIT_PERSONAL_KEY 之后。",
)

_COUNT = text("""
    -- across organisations: the doctor looks at all of them
    select (select count(*) from audit_subjects where wrapped is not null) as keys,
        (select count(*) from people where erasing_at is not null and erased_at is null) as erasing
""")


async def look(built: Built) -> Sequence[Finding]:
    """One finding. A key that can't be opened stops whoever it is of from being taken in."""
    async with built.house.engine.connect() as connection:
        counted = (await connection.execute(_COUNT)).one()
        what = KEYS.fill(keys=counted.keys, erasing=counted.erasing)
        try:
            await built.house.personal.check(connection)
        except WrongMasterKey as error:
            return [Finding(False, what, FIX_MASTER.fill(subject=str(error)))]
    return [Finding(True, what)]
