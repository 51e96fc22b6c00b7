"""What the hub tells by mail: letters of no task's conversation, and summaries with a way out."""

from datetime import date

from core.documents import Files
from core.messages import Attachment
from core.notices import Notice, Recipient, publish
from core.settings import Settings
from core.unit import unit
from notifier.hub.fanning import fan_out_due
from notifier.hub.lanes import Lane
from notifier.hub.report_figures import Days, rows_of
from notifier.hub.reports import picture_of
from notifier.hub.sending import Ways
from notifier.hub.topics import topic_of
from tests.bot.email.out.post import Post, said


async def tell(post: Post, notice: Notice) -> None:
    """Have it told, by mail."""
    # That they have new accounts is told as well, and not what is looked at here.
    await post.office.execute("delete from notices where topic = 'security.account_linked'")
    async with unit(post.office.house) as work:
        await publish(work, post.office.organisation.id, notice)
    await fan_out_due(post.office.house)
    await post.office.execute("update dispatches set edit_at = now() where edit_at is not null")
    lane = Lane(Ways(post.office.house, Settings(secret_key=None)), "email", "w1")
    while await lane.take():
        await lane.rest()


async def test_a_notice_comes_by_mail_and_what_changes_of_it_as_an_answer_to_it(
    post: Post,
) -> None:
    boss = post.office.boss
    to = (Recipient("person", str(boss.id)),)
    facts = {"title": "Disk <b>full</b>", "text": "/var\r\nBcc: x@evil.example"}
    await tell(post, Notice("alert.disk", to, facts, group="disk"))
    [letter] = post.to(boss)
    assert letter["Subject"] == "Alert: Disk <b>full</b>"
    assert "/var" in said(letter)
    assert "<b>" not in said(letter, "html")
    assert letter["Bcc"] is letter["List-Unsubscribe"] is letter["Reply-To"] is None

    await tell(post, Notice("alert.disk", to, facts, group="disk", resolved=True))
    _, over = post.to(boss)
    assert over["Subject"] == "Re: Alert: Disk <b>full</b> [Resolved]"
    assert over["In-Reply-To"] == letter["Message-ID"]
    assert [row.state for row in await post.rows()] == ["sent", "sent"]


async def test_a_summary_can_be_stopped_by_one_click(post: Post) -> None:
    boss = post.office.boss
    summary = Notice("digest", (Recipient("person", str(boss.id)),), {"title": "Today"})
    await tell(post, summary)
    [letter] = post.to(boss)
    assert letter["List-Unsubscribe"].startswith("<https://miyabi.example/email/stop/")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    await post.office.execute("update mail_addresses set no_digests = true")
    await post.office.execute(
        "insert into mail_addresses (organisation_id, address, no_digests)"
        f" values ('{post.office.organisation.id}', '{post.sender(boss).account}', true)"
        " on conflict (organisation_id, address) do update set no_digests = true"
    )
    await tell(post, summary)
    assert len(post.to(boss)) == 1
    row = await post.office.row("select reason from dispatches where state = 'dropped'", {})
    assert row.reason == "muted"


async def test_a_report_comes_with_its_rows_and_its_picture_in_the_mail_itself(post: Post) -> None:
    boss = post.office.boss
    files = Files(post.office.house, post.office.organisation.id)
    days = Days(date(2026, 11, 23), date(2026, 11, 29), "Asia/Tokyo")
    rows = Attachment(await files.put(rows_of([], days, {}, "en"), "text/csv"), "r.csv", "text/csv")
    picture = await picture_of(files, [], days)
    facts = topic_of("report.weekly").sample
    to = (Recipient("person", str(boss.id)),)
    await tell(post, Notice("report.weekly", to, facts, file=rows, picture=picture))

    [letter] = post.to(boss)
    assert letter["Subject"] == "Weekly report: Mon, Nov 23, 2026 – Sun, Nov 29, 2026"
    assert "#1043 Quote → 鈴木 一郎" in said(letter)
    parts = {part.get_content_type(): part for part in letter.walk()}
    assert parts["text/csv"].get_filename() == "r.csv"
    cid = parts["image/png"]["Content-ID"].strip("<>")
    assert f"cid:{cid}" in said(letter, "html")
