"""What the terminal shows of a notice: nothing can be pressed there, so it says what to type."""

import pytest

from core.acknowledging import ACK
from core.messages import Button, Message
from miyabi.commands.screen import show_notice


def test_a_notice_tells_how_it_is_acknowledged(capsys: pytest.CaptureFixture[str]) -> None:
    button = Button(ACK, "対応します", "0197a3f0-0000-7000-8000-000000000001")
    show_notice(Message("", "警報: DiskFull", buttons=(button,)))
    shown = capsys.readouterr().out
    assert "警報: DiskFull" in shown
    assert f"miyabi notify ack {button.value}" in shown

    show_notice(Message("", "警報: DiskFull", note="三郎 さんが対応中です（12:07）。"))
    assert "notify ack" not in capsys.readouterr().out
