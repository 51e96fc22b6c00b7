"""What a verifier found, in words, as data, and as an exit code."""

from typing import TYPE_CHECKING

from audit.verifier.verdict import Fault, Head, Kind, Stamp, Verdict
from core.words import Words
from miyabi.commands.frame import Exit, language, terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit.anchored import Reach
    from audit.verifier.proof import Proven

CODES = {kind: 10 + number for number, kind in enumerate(Kind)}
"""Exit codes by what is wrong; 0 where nothing is. 1 to 3 are those of any command."""

_KINDS = {
    Kind.MALFORMED: Words(ja="読み取り不能", en="Malformed", zh="无法读取"),
    Kind.BAD_SIGNATURE: Words(ja="署名が不正", en="Bad signature", zh="签名无效"),
    Kind.MODIFIED: Words(ja="改変", en="Modified", zh="被修改"),
    Kind.REORDERED: Words(ja="順序の入れ替え", en="Reordered", zh="顺序被调换"),
    Kind.MISSING: Words(ja="欠落", en="Missing", zh="缺失"),
    Kind.INSERTED: Words(ja="挿入", en="Inserted", zh="被插入"),
    Kind.TAIL_CUT: Words(ja="末尾の切り取り", en="Tail cut", zh="尾部被截断"),
    Kind.INCONSISTENT: Words(
        ja="チェックポイントの不一致（書き換えまたは分岐）",
        en="Inconsistent checkpoints (rewritten or forked)",
        zh="检查点不一致（被改写或分叉）",
    ),
    Kind.UNKNOWN_KEY: Words(ja="未知の鍵", en="Unknown key", zh="未知的密钥"),
    Kind.UNANCHORED: Words(ja="末尾が未アンカー", en="Unanchored tail", zh="尾部尚未锚定"),
}
_WHOLE = Words(
    ja="監査ログを検証しました: {events}件、{streams}系列、葉{leaves}、"
    "チェックポイント{checkpoints}件、異常なし。",
    en="The audit log is whole: {events} events in {streams} streams, {leaves} leaves, "
    "{checkpoints} checkpoints, nothing wrong.",
    zh="审计日志验证完毕: {events}条，{streams}个序列，{leaves}个叶，"
    "{checkpoints}个检查点，无异常。",
)
_FAULTY = Words(
    ja="監査ログに異常があります（{n}件）: {kind}",
    en="The audit log is NOT whole ({n} faults): {kind}",
    zh="审计日志存在异常（{n}处）: {kind}",
)
_TAIL = Words(
    ja="うち{waiting}件は葉の番号待ち、{unsigned}件は次のチェックポイント待ちです。",
    en="Of these, {waiting} wait for their leaf and {unsigned} for the next checkpoint.",
    zh="其中{waiting}条等待叶编号，{unsigned}条等待下一个检查点。",
)
_HEAD = Words(
    ja="{origin}: {size}件、{at}、署名 {signers}",
    en="{origin}: {size} events at {at}, signed by {signers}",
    zh="{origin}: {size}条，{at}，签名 {signers}",
)
_UNANCHORED = Words(
    ja="末尾の{n}件はまだアンカーされていません。",
    en="The last {n} events are under no anchor yet.",
    zh="最后{n}条尚未锚定。",
)
_REACH = Words(
    ja="アンカー {name}（{organisation}）: {size} / {of}件まで、{at}",
    en="Anchor {name} ({organisation}): up to {size} of {of} events, {at}",
    zh="锚定 {name}（{organisation}）: 至 {size} / {of}条，{at}",
)
_AWAY = Words(
    ja="  {tries}回失敗: {error}",
    en="  {tries} tries failed: {error}",
    zh="  失败{tries}次: {error}",
)
_STAMP = Words(
    ja="タイムスタンプ: {origin} の{size}件は {at} に存在（{authority}）",
    en="Time stamp: {size} events of {origin} were there on {at} ({authority})",
    zh="时间戳: {origin} 的{size}条于 {at} 已存在（{authority}）",
)
_ARCHIVED = Words(
    ja="ほか{n}件はアーカイブ済み（{archives}個、すべて保存先にあり。検証は --archives）。",
    en="Archived: {n} events more, in {archives} archives, all stored; --archives reads them.",
    zh="另有{n}条已归档（{archives}个归档，均在存储中。用 --archives 验证其内容）。",
)
_ARCHIVES_WHOLE = Words(
    ja="アーカイブ済み{n}件（{archives}個）も検証しました: 異常なし。",
    en="Archived: {n} events more, in {archives} archives; whole.",
    zh="已归档的{n}条（{archives}个归档）也已验证: 无异常。",
)
_ARCHIVES_AWAY = Words(
    ja="アーカイブ済み{n}件（{archives}個）は保存先が応答せず確認できません: {why}",
    en="Archived: {n} events more, in {archives} archives; the store is away: {why}",
    zh="已归档的{n}条（{archives}个归档）无法确认，存储无响应: {why}",
)
_MORE = Words(ja="ほか{n}件", en="and {n} more", zh="另有{n}处")
_EVENT = Words(
    ja="このイベントは監査ログの{leaf}番の葉です（{size}件、{at}、署名 {signers}）:",
    en="This event is leaf {leaf} of the log ({size} events at {at}, signed by {signers}):",
    zh="此事件是审计日志的第{leaf}号叶（{size}条，{at}，签名 {signers}）:",
)
_CONTINUES = Words(
    ja="{new}件のチェックポイントは{old}件のものの続きです。",
    en="The checkpoint of {new} events continues that of {old}.",
    zh="{new}条的检查点是{old}条检查点的延续。",
)


def exit_code(verdict: Verdict) -> int:
    """The exit code: each kind of fault has its own."""
    return Exit.DONE if verdict.kind is None else CODES[verdict.kind]


def verdict_data(verdict: Verdict) -> dict[str, object]:
    """A verdict as the one object of `--json`."""
    return {
        "verified": verdict.verified,
        "kind": verdict.kind,
        "first": _fault_data(verdict.first) if verdict.first else None,
        "events": verdict.events,
        "streams": verdict.streams,
        "leaves": verdict.leaves,
        "checkpoints": verdict.checkpoints,
        "anchors": verdict.anchors,
        "archived": verdict.archived,
        "archives": len(verdict.archives),
        "archives_read": verdict.archives_read,
        "archives_away": verdict.archives_away,
        "unsequenced": verdict.unsequenced,
        "uncheckpointed": verdict.uncheckpointed,
        "unanchored": verdict.unanchored,
        "heads": [_head_data(head) for head in verdict.heads],
        "stamps": [_stamp_data(stamp) for stamp in verdict.stamps],
        "counts": {str(kind): n for kind, n in verdict.counts.items()},
        "faults": [_fault_data(fault) for fault in verdict.faults],
    }


def proven_data(proven: "Proven") -> dict[str, object]:
    """What a proof proves, as data."""
    return {
        "verified": True,
        "checkpoint": _head_data(proven.head),
        "event": proven.event,
        "leaf": proven.leaf,
        "continues": _head_data(proven.old) if proven.old else None,
    }


def _head_data(head: Head) -> dict[str, object]:
    return {
        "origin": head.origin,
        "size": head.size,
        "root": head.root.hex(),
        "at": head.at,
        "signers": list(head.signers),
    }


def _stamp_data(stamp: Stamp) -> dict[str, object]:
    return {
        "origin": stamp.origin,
        "size": stamp.size,
        "at": stamp.at,
        "authority": stamp.authority,
    }


def reach_data(reach: "Reach") -> dict[str, object]:
    """How far an anchor is, as data; times in seconds."""
    return {
        "organisation": str(reach.organisation_id),
        "anchor": reach.anchor,
        "size": reach.size,
        "of": reach.of,
        "at": reach.at.isoformat() if reach.at else None,
        "place": reach.place,
        "behind": round(reach.behind, 1),
        "tries": reach.tries,
        "error": reach.error,
    }


def tell_reach(reached: "Sequence[Reach]") -> None:
    """How far each anchor is, for a person. Said by the database: it is no proof."""
    for each in reached:
        at = each.at.isoformat() if each.at else "-"
        values = {"organisation": each.organisation_id, "name": each.anchor, "at": at}
        _line(_REACH.fill(size=each.size, of=each.of, **values), "")
        if each.error is not None:
            _line(_AWAY.fill(tries=each.tries, error=each.error), "yellow")


def _fault_data(fault: Fault) -> dict[str, object]:
    return {
        "kind": fault.kind,
        "about": fault.about,
        "origin": fault.origin,
        "leaf": fault.leaf,
        "until": fault.until,
        "event": str(fault.event) if fault.event else None,
        "stream": str(fault.stream) if fault.stream else None,
        "seq": fault.seq,
    }


def tell(verdict: Verdict) -> None:
    """A verdict for a person."""
    if not verdict.verified and verdict.kind is not None:
        n = sum(verdict.counts.values())
        _line(_FAULTY.fill(n=n, kind=_KINDS[verdict.kind]), "bold red")
        first = verdict.first
        for fault in ([first] if first else []) + [
            each for each in verdict.faults if each != first
        ]:
            _line(_one(fault), "")
        if n > len(verdict.faults):
            _line(_MORE.fill(n=n - len(verdict.faults)), "")
        return
    numbers = {
        "events": verdict.events,
        "streams": verdict.streams,
        "leaves": verdict.leaves,
        "checkpoints": verdict.checkpoints,
    }
    _line(_WHOLE.fill(**numbers), "green")
    if verdict.unsequenced or verdict.uncheckpointed:
        _line(_TAIL.fill(waiting=verdict.unsequenced, unsigned=verdict.uncheckpointed), "")
    if verdict.archives:
        kept = {"n": verdict.archived, "archives": len(verdict.archives)}
        if verdict.archives_away is not None:
            _line(_ARCHIVES_AWAY.fill(why=verdict.archives_away, **kept), "yellow")
        else:
            words = _ARCHIVES_WHOLE if verdict.archives_read else _ARCHIVED
            _line(words.fill(**kept), "green" if verdict.archives_read else "")
    for head in verdict.heads:
        _line(_HEAD.fill(**{**_head_data(head), "signers": ", ".join(head.signers)}), "")
    newest = {stamp.origin: stamp for stamp in sorted(verdict.stamps, key=lambda each: each.size)}
    for stamp in newest.values():
        _line(_STAMP.fill(**_stamp_data(stamp)), "")
    if verdict.unanchored:
        _line(_UNANCHORED.fill(n=verdict.unanchored), "yellow")


def tell_proven(proven: "Proven") -> None:
    """What a proof proves, for a person."""
    import json

    head = proven.head
    if proven.old is not None:
        _line(_CONTINUES.fill(new=head.size, old=proven.old.size), "green")
        return
    signers = ", ".join(head.signers)
    _line(_EVENT.fill(leaf=proven.leaf, size=head.size, at=head.at, signers=signers), "green")
    _line(json.dumps(proven.event, ensure_ascii=False, indent=2), "")


def _one(fault: Fault) -> Words:
    """One fault: what, and where."""
    place = {
        "origin": fault.origin,
        "leaf": fault.leaf,
        "until": fault.until,
        "event": fault.event,
        "stream": fault.stream,
        "seq": fault.seq,
    }
    where = " ".join(f"{name}={value}" for name, value in place.items() if value is not None)
    return Words(
        ja="  {kind}: {about} [{where}]",
        en="  {kind}: {about} [{where}]",
        zh="  {kind}: {about} [{where}]",
    ).fill(kind=_KINDS[fault.kind], about=fault.about, where=where)


def _line(words: Words | str, style: str) -> None:
    from rich.text import Text

    text = words if isinstance(words, str) else words.to(language())
    terminal().print(Text(text, style=style), soft_wrap=True)
