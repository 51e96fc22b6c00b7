"""docs/notifications.md says what is so: its examples are taken, its settings and topics ours."""

import json
import re
from pathlib import Path

from core.notice_senders import RESERVED
from core.settings import NotifySettings
from miyabi.plugins import all_channels
from notifier.hub.rule_file import rules_of
from web.notify_body import Given

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "notifications.md").read_text("utf-8")


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def test_the_notice_that_is_posted_there_is_taken() -> None:
    [body] = re.findall(r"-d '(\{.*?\})'", PAGE, re.DOTALL)

    assert Given.model_validate(json.loads(body)).topic == "alert.disk_full"
    fields = set(re.findall(r"`(\w+)`", PAGE.partition("| field | |")[2].partition("\n\n")[0]))
    assert Given.model_fields.keys() <= fields


def test_the_rule_that_stands_there_is_one() -> None:
    [rule] = [block for block in _blocks("toml") if "[[rules]]" in block]

    assert rules_of(rule, 1).rules[0].name == "the shop is down"


def test_every_setting_stands_there_with_its_default() -> None:
    table = PAGE.partition("| setting (`[notify]`")[2].partition("\n\n")[0]
    said = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", table, re.MULTILINE))
    ours = {
        name: {False: "false", True: "true"}.get(field.default, str(field.default))
        for name, field in NotifySettings.model_fields.items()
        if field.default_factory is None
    }

    assert ours.items() <= said.items()
    assert said.keys() == NotifySettings.model_fields.keys()


def test_what_no_program_may_say_and_every_channel_stand_there() -> None:
    for family in RESERVED:
        assert f"`{family}.*`" in PAGE or f"`{family}`" in PAGE, family
    for name in all_channels():
        assert f"place add {name}" in PAGE or f" {name} " in PAGE, name
