"""Files that people send in Slack: with a request, in its thread, and what is not taken of them."""

import pytest

from bot.slack.files import is_slacks, sent_files
from core.inbound import SentFile
from tests.bot.slack.conftest import Office
from tests.fakes.slack.reading import buttons, text_of
from tests.fakes.slack.state import Message, UploadedFile

pytestmark = pytest.mark.timeout(120)

BILL = b"%PDF-1.7 quotation"
REQUEST = "稟議 複合機の入替 金額 85,000円\nリース満了のため"


async def _ask(office: Office, *files: UploadedFile) -> Message:
    """A request with files; gives the card."""
    await office.driver.mention(REQUEST, user="U1", channel="C1", files=files)
    return await office.card()


async def test_a_file_with_a_mention_is_on_the_card_and_one_in_the_thread_makes_it_anew(
    office: Office,
) -> None:
    driver = office.driver
    bill = driver.file("見積 <!channel>.pdf", BILL)
    card = await _ask(office, bill)
    assert "見積 &lt;!channel&gt;.pdf" in text_of(card)

    copy = await office.card("DU2")
    [shown] = await office.slack.wait_for(
        lambda: [m for m in office.slack.thread("DU2", copy.thread_ts or copy.ts) if m.files]
    )
    assert shown.files[0].data == BILL

    photo = driver.file("photo.jpg", b"\xff\xd8\xff\xe0 photo")
    reply = await driver.message(
        "", user="U1", channel="C1", thread_ts=card.thread_ts, files=[photo]
    )
    again = await driver.redeliver(reply, again_id=False)
    await office.slack.wait_for(lambda: not buttons(card), 20.0)
    second = await office.card()

    assert again.ok
    assert "photo.jpg" in await office.whispered("U1", "受け取りました")
    assert "第2版" in text_of(second)
    assert "photo.jpg" in text_of(second)
    assert office.slack.downloads == [bill.id, photo.id]
    rows = await office.rows("select state from attachments")
    assert [row.state for row in rows] == ["kept", "kept"]


async def test_what_is_not_what_it_says_is_refused_in_the_thread(office: Office) -> None:
    driver = office.driver
    moved = driver.file("moved.pdf", BILL)
    moved.home = "https://files.example.com"
    gone = driver.file("gone.pdf", BILL)
    gone.mode = "tombstone"
    files = [
        driver.file("evil.pdf", b"MZ\x90\0"),
        driver.file("big.png", b"\x89PNG\r\n\x1a\n" + bytes(10 * 1024 * 1024)),
        driver.file("sheet.xlsx", b"PK\x03\x04"),
        moved,
        gone,
    ]
    card = await _ask(office, *files)
    said = [m.text for m in office.slack.thread("C1", card.thread_ts or "") if m.bot_id]

    for file in files:
        assert any(f"ファイル「{file.name}」は受け取れません" in words for words in said), file.name
    assert office.slack.downloads == [files[0].id]  # the token went nowhere else


async def test_without_the_right_to_read_files_the_task_says_so_and_can_be_set_going_again(
    office: Office,
) -> None:
    office.slack.home.scopes = office.slack.home.scopes - {"files:read"}
    await office.driver.mention(
        REQUEST, user="U1", channel="C1", files=[office.driver.file("a.pdf", BILL)]
    )
    stopped = await office.slack.wait_for(
        lambda: [m for m in office.saying("C1", "停止（エラー）") if buttons(m)], 20.0
    )
    assert "files:read" in text_of(stopped[0])

    office.slack.home.scopes = office.slack.home.scopes | {"files:read"}
    await office.driver.click(stopped[0], "再実行", user="U1")
    assert "a.pdf" in text_of(await office.card())


@pytest.mark.parametrize(("status", "tries"), [(302, "停止（エラー）"), (404, "受け取れません")])
async def test_a_redirect_is_not_followed_and_what_is_gone_is_said(
    office: Office, status: int, tries: str
) -> None:
    office.slack.fail_next("download", status=status)
    await office.driver.mention(
        REQUEST, user="U1", channel="C1", files=[office.driver.file("a.pdf", BILL)]
    )
    assert await office.said("C1", tries)


async def test_what_others_show_one_another_is_not_looked_at(quiet_office: Office) -> None:
    office, driver = quiet_office, quiet_office.driver
    reply = await driver.mention(REQUEST, user="U1", channel="C1")
    assert reply.message is not None
    file = driver.file("joke.png", b"\x89PNG\r\n\x1a\n")
    await driver.message("", "U3", "C1", thread_ts=reply.message.ts, files=[file])
    await driver.message("", "U1", "C1", files=[file])
    lone = await driver.message("", "U1", "U1", files=[file])

    assert lone.ok
    assert await office.count("attachments") == 0
    told = await office.slack.wait_for(lambda: office.saying("DU1", "何のファイルか"))
    assert told


def test_of_some_files_only_the_id_is_told() -> None:
    message = {"files": [{"id": "F1", "file_access": "check_file_info"}, {"mode": "tombstone"}]}

    assert sent_files(message) == (SentFile("F1", "F1"),)
    assert sent_files({}) == ()


@pytest.mark.parametrize(
    ("url", "slacks"),
    [
        ("https://files.slack.com/files-pri/T1-F1/download/a.pdf", True),
        ("https://slack.com.example.com/a", False),
        ("https://files.slack.com@example.com/a", False),
        ("https://example.com/files.slack.com/a", False),
        ("http://files.slack.com/a", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_the_token_is_shown_to_slack_alone(url: str, slacks: bool) -> None:
    assert is_slacks(url, "https://slack.com/api/") is slacks
