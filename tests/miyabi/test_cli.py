"""What the commands promise to people and to scripts: their exit codes and their data."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.miyabi.terminal import Terminal, open_terminal

KEYS = {
    "task", "number", "state", "customer", "lines", "discount", "subtotal", "tax", "total", "due",
    "missing", "ambiguous", "unknown", "documents", "updates", "audit",
}  # fmt: skip


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminal]:
    """A terminal with the sample company; its servers stay up for all tests here."""
    with open_terminal(running=True) as terminal:
        yield terminal


def test_an_approved_request_is_done_and_told_in_one_object(terminal: Terminal) -> None:
    done = terminal.run(
        "ask", "株式会社ABC商事 モニター5台 キーボード10個 お茶3ケース 納期12/25",
        "--approve", "--json", "--today", "2026-11-25",
    )  # fmt: skip

    assert done.code == 0, done.err
    told = done.data
    assert told.keys() >= KEYS
    assert told["task"].startswith("#")
    assert told["number"].startswith("Q-")
    assert (told["state"], told["customer"], told["due"]) == ("done", "C001", "2026-12-25")
    assert told["lines"][0] == {
        "code": "MON-27", "name": "モニター 27型", "quantity": 5,
        "unit_price": 32_800, "amount": 164_000, "tax_rate": 10,
    }  # fmt: skip
    assert (told["discount"], told["subtotal"], told["total"]) == (0, 228_480, 251_198)
    assert told["tax"] == {"10": 22_200, "8": 518}
    [document] = told["documents"]
    assert document["pages"] == 1
    content = Path(document["path"]).read_bytes()
    assert content.startswith(b"%PDF")
    assert hashlib.sha256(content).hexdigest() == document["sha256"]
    assert [update["at"] for update in told["updates"]] == sorted(
        update["at"] for update in told["updates"]
    )
    assert "● お届け" in told["updates"][-1]["text"]
    assert told["audit"]["verified"] is True
    assert told["audit"]["events"] > 10


def test_a_claim_goes_over_every_step_of_its_route_and_into_the_months_report(
    terminal: Terminal, tmp_path: Path
) -> None:
    done = terminal.run(
        "ask", "経費：11/20 タクシー 2,340円 品川→新宿 ABC商事訪問", "--approve", "--json",
        "--today", "2026-11-25",
    )  # fmt: skip

    assert done.code == 0, done.err
    told = done.data
    assert told.keys() >= KEYS | {"claim"}
    assert (told["state"], told["total"], told["claim"]["total"]) == ("done", 2340, 2340)
    assert told["number"].startswith("E-")
    [line] = told["claim"]["lines"]
    assert (line["date"], line["payee"], line["category"], line["registration"]) == (
        "2026-11-20", "タクシー", "旅費交通費", None,
    )  # fmt: skip
    assert [step["state"] for step in told["route"]] == ["passed", "passed"]

    month = datetime.now(ZoneInfo("Asia/Tokyo")).strftime("%Y-%m")
    report = terminal.run("expenses", "report", month, "--out", str(tmp_path), "--json")
    assert report.code == 0, report.err
    assert (report.data["claims"], report.data["approved"]) == (1, 2340)
    assert all(Path(each).stat().st_size > 1000 for each in report.data["files"])
    assert terminal.run("expenses", "report", "2026-13").code == 3


def test_an_open_question_needs_input_and_the_answer_goes_on(terminal: Terminal) -> None:
    asked = terminal.run("ask", "ノートPCを3台、ABCさんへ見積もりください", "--json")

    assert asked.code == 2, asked.err
    assert asked.data["ambiguous"] == ["ノートPC"]
    assert asked.data["waiting_for"] == "answer"
    assert [c["value"] for c in asked.data["question"]["choices"]][:2] == ["PC-14", "PC-16"]
    task = asked.data["task"]

    answered = terminal.run("answer", task, "2", "--json")

    assert answered.code == 2  # now it waits for the approval
    assert answered.data["lines"][0]["code"] == "PC-16"
    assert answered.data["documents"][0]["draft"] is True
    assert answered.data["number"] is None

    approved = terminal.run("approve", task.removeprefix("#"), "--json")

    assert approved.code == 0, approved.err
    assert approved.data["state"] == "done"
    number = approved.data["number"]

    shown = terminal.run("show", number, "--json")

    assert (shown.code, shown.data["task"]) == (0, task)


def test_whoever_asked_cannot_approve_and_a_rejection_ends_it(terminal: Terminal) -> None:
    task = terminal.run("ask", "ABC商事 マウス2個", "--as", "佐藤 次郎", "--json").data["task"]

    own = terminal.run("approve", task, "--as", "sato", "--json")

    assert own.code == 3
    assert own.data["state"] == "refused"
    assert "鈴木 花子" in own.data["message"]

    without_reason = terminal.run("reject", task)
    rejected = terminal.run("reject", task, "高すぎます")
    after = terminal.run("approve", task)

    assert (without_reason.code, rejected.code, after.code) == (3, 0, 3)
    assert "鈴木 花子" in after.err
    assert terminal.run("show", task, "--json").data["state"] == "rejected"


def test_what_is_refused_begins_nothing_and_says_why(terminal: Terminal) -> None:
    terminal.run("people", "list")  # makes the sample company
    stranger = terminal.run("ask", "ABC商事 マウス2個", "--as", "nobody", "--json")
    no_role = terminal.run("ask", "ABC商事 マウス2個", "--as", "suzuki", "--json")
    no_task = terminal.run("cancel", "#999999", "--json")
    no_word = terminal.run("ask", "cancl", "--json")
    no_date = terminal.run("ask", "ABC商事 マウス2個", "--today", "tomorrow", "--json")

    refused = (stranger, no_role, no_task, no_word, no_date)
    assert [done.code for done in refused] == [3] * 5, [done.err for done in refused]
    assert all(done.data["state"] == "refused" for done in refused)
    assert stranger.data.keys() >= KEYS
    assert stranger.data["task"] is None
    assert "miyabi people link" in stranger.data["message"]
    assert "requester" in no_role.data["message"]
    assert "#999999" in no_task.data["message"]
    assert "cancel" in no_word.data["message"]


def test_a_command_word_alone_asks_what_is_wanted(terminal: Terminal) -> None:
    alone = terminal.run("ask", "見積")
    told = terminal.run("ask", "help")

    assert (alone.code, told.code) == (2, 0)
    assert "ABC商事" in alone.err
    assert "状況 #1042" in told.out


def test_people_read_what_happens_line_by_line(terminal: Terminal) -> None:
    done = terminal.run("ask", "ABC商事 マウス2個", "--approve")

    assert done.code == 0, done.err
    flashes = [line for line in done.out.splitlines() if "○" in line or "● お届け" in line]
    assert len(flashes) >= 3
    assert "鈴木 花子" in done.out
    assert ".pdf" in done.out
    assert "検証済み" in done.out


def test_a_conversation_can_be_typed_from_a_pipe(terminal: Terminal) -> None:
    typed = "ノートPCを1台、ABCさんへ\n1\nmine\n/as suzuki\nmine\n"
    done = terminal.run("chat", "--as", "tanaka", typed=typed)

    assert done.code == 0, done.err
    assert "1. ノートPC 14型" in done.out
    assert "128,000円" in done.out
    assert "あなたの承認待ち" in done.out

    task = terminal.run("ask", "ABC商事 マウス2個", "--json").data["task"]
    typed = f"/as suzuki\napprove {task}\n/as tanaka\n"
    approved = terminal.run("chat", typed=typed)

    assert approved.code == 0, approved.err
    assert approved.out.rstrip().endswith(".pdf")


def test_files_go_along_with_a_request_and_into_its_thread(
    terminal: Terminal, tmp_path: Path
) -> None:
    bill, photo, text = tmp_path / "見積.pdf", tmp_path / "photo.png", tmp_path / "x.pdf"
    bill.write_bytes(b"%PDF-1.7")
    photo.write_bytes(b"\x89PNG\r\n\x1a\n")
    text.write_text("no PDF at all")
    words = "稟議 PC購入 金額 80,000円 老朽化のため"
    asked = terminal.run("ask", words, "--file", str(bill), "--json")
    refused = terminal.run("ask", words, "--file", str(text), "--json")
    typed = f"/file {bill}\n稟議 PC購入 理由：老朽化\n/file {photo}\n/file {text}\nmine\n"
    talked = terminal.run("chat", typed=typed)

    assert asked.code == 2, asked.err
    assert [file["name"] for file in asked.data["files"]] == ["見積.pdf"]
    assert (asked.data["amount"], asked.data["missing"]) == (80_000, [])
    assert refused.code == 3
    table = tmp_path / "明細.csv"
    table.write_bytes("品番,数量\nMON-27,5\nKB-JP,10\n".encode("cp932"))
    listed = terminal.run("ask", "見積 ABC商事 添付のとおり", "--file", str(table), "--json")
    assert [(line["code"], line["quantity"]) for line in listed.data["lines"]] == [
        ("MON-27", 5),
        ("KB-JP", 10),
    ]
    assert talked.code == 0, talked.err
    assert "photo.png" in talked.out
    assert "第2版" in talked.out
    assert "x.pdf" in talked.err


def test_an_operator_sets_company_and_people_up(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal.run("org", "add", "acme", "アクメ株式会社").code == 0
    assert terminal.run("org", "add", "acme", "もう一つ").code == 3
    assert terminal.run("people", "add", "abe", "阿部 一", "--org", "acme").code == 0
    assert terminal.run("people", "link", "abe", "slack:T1:U1", "--org", "acme").code == 0
    assert terminal.run("people", "link", "abe", "nonsense", "--org", "acme").code == 3
    assert terminal.run("people", "link", "abe", "Abe@x.example", "--org", "acme").code == 0
    set_roles = ("people", "set", "abe", "roles=requester,approver", "language=en", "--org", "acme")
    assert terminal.run(*set_roles).code == 0
    placed = (
        "people",
        "add",
        "ito",
        "伊藤",
        "--superior",
        "abe",
        "--post",
        "主任",
        "--org",
        "acme",
    )
    assert terminal.run(*placed).code == 0
    moved = ("people", "set", "ito", "department=営業部", "--org", "acme")
    assert terminal.run(*moved).code == 0
    circle = terminal.run("people", "set", "abe", "superior=ito", "--org", "acme")
    assert (circle.code, "abe → ito → abe" in circle.err) == (3, True)
    assert terminal.run("people", "set", "abe", "superior=nobody", "--org", "acme").code == 3
    people = terminal.run("people", "list", "--org", "acme", "--json").data["people"]
    assert people == [
        {
            "handle": "abe", "name": "阿部 一", "roles": ["approver", "requester"],
            "language": "en", "time_zone": "Asia/Tokyo",
            "superior": "", "department": "", "post": "", "grade": "",
            "accounts": ["console:acme:abe", "slack:T1:U1", "email:acme:abe@x.example"],
        },
        {
            "handle": "ito", "name": "伊藤", "roles": ["requester"],
            "language": "ja", "time_zone": "Asia/Tokyo",
            "superior": "abe", "department": "営業部", "post": "主任", "grade": "",
            "accounts": ["console:acme:ito"],
        },
    ]  # fmt: skip
    acts = ("delegate", "add", "ito", "tomorrow", "quote", "--for", "abe", "--org", "acme")
    assert terminal.run(*acts).code == 0
    [each] = terminal.run("delegate", "list", "--org", "acme", "--json").data["delegations"]
    assert (each["person"], each["delegate"], each["forms"]) == ("阿部 一", "伊藤", ["quote"])

    slip = terminal.run("company", "set", "registration_number=T7000012050003", "--org", "acme")
    seal = tmp_path / "seal.png"
    seal.write_bytes(b"\x89PNG\r\n\x1a\nrest")
    changes = ("registration_number=Ｔ7000012050002", "rounding=四捨五入", f"seal={seal}")
    kept = terminal.run("company", "set", *changes, "--org", "acme")

    assert (slip.code, kept.code) == (3, 0), kept.err
    company = terminal.run("company", "show", "--org", "acme", "--json").data
    assert company["registration_number"] == "T7000012050002"
    assert company["rounding"] == "half_up"
    assert company["seal_sha256"] == hashlib.sha256(seal.read_bytes()).hexdigest()


def test_accounting_sets_accounts_and_takes_the_journal_along(
    terminal: Terminal, tmp_path: Path
) -> None:
    place = ("--bank", "0009", "--branch", "001", "--number", "7654321")
    kanji = terminal.run("payees", "set", "tanaka", *place, "--kana", "田中")
    kept = terminal.run("payees", "set", "tanaka", *place, "--kana", "タナカ　イチロウ")
    assert (kanji.code, kept.code) == (3, 0), kept.err
    listed = terminal.run("payees", "list", "--json")
    [payee] = listed.data["payees"]
    assert (payee["name"], payee["holder"]) == ("tanaka", "ﾀﾅｶ ｲﾁﾛｳ")
    assert payee["number"] == "****321"
    assert "7654321" not in kept.out + listed.out

    changes = ("transfer.kana=株式会社ミヤビ", "closing_days=08-14,12-29")
    right = terminal.run("company", "set", *changes)
    assert right.code == 0, right.err
    company = terminal.run("company", "show", "--json").data
    assert company["transfer"] == {"kana": "ｶ)ﾐﾔﾋﾞ"}
    assert company["closing_days"] == ["08-14", "12-29"]

    journal = tmp_path / "journal.csv"
    written = terminal.run("expenses", "journal", "2020-01", "--out", str(journal))
    assert written.code == 0, written.err
    assert journal.read_bytes() == b""


def test_an_issued_quote_is_revised_as_a_new_edition_and_voided(
    terminal: Terminal, tmp_path: Path
) -> None:
    first = terminal.run("ask", "ABC商事 マウス2個", "--approve", "--json").data
    revised = terminal.run("revise", first["number"], "ABC商事 マウス3個", "--json")
    second = terminal.run("approve", revised.data["task"], "--json").data

    assert second["number"] == f"{first['number']}-2"
    assert second["lines"][0]["quantity"] == 3

    voided = terminal.run("void", first["number"], "数量の誤り")
    written = terminal.run("document", first["number"], "--out", str(tmp_path), "--json").data

    assert voided.code == 0
    assert written["documents"][0]["voided"] is True
    assert Path(written["documents"][0]["path"]).parent == tmp_path


def test_reading_a_request_creates_nothing_and_starts_no_server(shared: Path) -> None:
    lines = (shared / "quotes" / "requests.jsonl").read_text("utf-8").splitlines()
    example = json.loads(lines[0])
    with open_terminal(running=False) as terminal:
        done = terminal.run("parse", example["text"], "--json", "--today", "2026-11-25")

        assert done.code == 0
        assert {key: done.data[key] for key in example if key != "text"} == {
            key: value for key, value in example.items() if key != "text"
        }
        assert list(terminal.home.iterdir()) == []


def test_without_a_usable_database_a_command_fails_and_says_so() -> None:
    with open_terminal(running=False) as terminal:
        away = "postgresql://miyabi:hunter2@127.0.0.1:9/miyabi"
        done = terminal.run("ask", "ABC商事 マウス2個", "--json", DATABASE_URL=away)

        assert done.code == 1
        assert done.data["state"] == "failed"
        assert "hunter2" not in done.out + done.err
