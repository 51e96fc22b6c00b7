"""A file of rules: what it may say, and what is said of one that is wrong."""

from datetime import time

import pytest

from core.approvals.route_file import WrongRoute
from core.notices import Ladder, Recipient
from notifier.hub.rule_file import check_named, default_source, read_rules, rules_of
from notifier.hub.rules import ladder_of, recipient
from notifier.hub.topics import TOPICS, matter_of, topic_of

FILE = """
[[rules]]
name = "db"
topics = ["alert.db.*"]
importance = ["high", "critical"]
channels = ["slack", "line"]
use = "all"
then = ["email"]
to = ["on_call:ops", "place:ops-room"]
group_minutes = 30
ladder = { minutes = 10, rungs = [["person:sato"], ["role:admin"]], expires_minutes = 240 }

[[rules]]
name = "evenings"
topics = ["log.*"]
digest = { rhythm = "weekly", at = "18:30", weekday = "fri" }
"""


def test_a_file_says_who_by_which_channels_and_when() -> None:
    rules = rules_of(FILE, 3)
    matter = matter_of("alert.db.full", "critical")

    [db, evenings] = read_rules(FILE)
    assert rules.version == 3
    assert rules.saying("channels", matter) == db
    assert db.ladder is not None
    assert ladder_of(db.ladder) == Ladder(
        10, ((Recipient("person", "sato"),), (Recipient("role", "admin"),)), 240
    )
    assert evenings.digest is not None
    assert (evenings.digest.at, evenings.digest.weekday) == (time(18, 30), "fri")


def test_of_each_setting_the_first_rule_counts_that_says_something_about_it() -> None:
    rules = rules_of(FILE)
    milder = matter_of("alert.db.full", "normal")
    logs = matter_of("log.x")

    by_defaults = rules.saying("channels", milder)
    assert by_defaults is not None
    assert by_defaults.name == "everything"
    assert [rules.saying("digest", each) is not None for each in (milder, logs)] == [False, True]
    to = rules.saying("to", logs)
    assert to is not None
    assert to.to == ("role:admin",)


def test_the_defaults_are_right_and_name_only_what_is_known() -> None:
    rules = read_rules(default_source(), {"slack", "line", "email", "discord"})

    check_named(default_source(), rules, {"role": {"admin"}})
    assert rules


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('[[rules]]\ntopics = ["x"]', 1, "“name” is missing"),
        ('[[rules]]\nname = "a"\nchanels = ["x"]', 3, "no such key as “chanels”"),
        ('[[rules]]\nname = "a"\n\nchannels = ["fax"]', 4, "no channel “fax”"),
        ('[[rules]]\nname = "a"\nto = ["role:admin", "boss"]', 3, "“boss” is no recipient"),
        ('[[rules]]\nname = "a"\nimportance = ["urgent"]', 3, "“importance” may be"),
        ('[[rules]]\nname = "a"\ngroup_minutes = 0', 3, "out of its range"),
        ('[[rules]]\nname = "a"\nuse = "both"', 3, "“use” may be 'first', 'all'"),
        ('[[rules]]\nname = "a"\n[[rules]]\nname = "a"', 4, "Two rules are called “a”"),
        ('[[rules]]\nname = "a"\nladder = { minutes = 5, rungs = [] }', 3, "out of its range"),
        ("[[rules]\n", 1, "no valid TOML"),
        ('[[rules]]\nname = "a"\ndigest = { rhythm = "daily", at = "25:00" }', 3, "“at”"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(WrongRoute) as wrong:
        read_rules(text, {"slack"})

    assert wrong.value.line == line
    assert says in wrong.value.words.en


def test_who_is_not_there_is_said_with_its_line() -> None:
    with pytest.raises(WrongRoute) as wrong:
        check_named(FILE, read_rules(FILE), {"person": {"suzuki"}, "on_call": {"ops"}, "place": ()})

    assert "line 9: There is nothing called “ops-room”. There are: none" in wrong.value.words.en
    assert "line 11: There is nothing called “sato”. There are: suzuki" in wrong.value.words.en


@pytest.mark.parametrize("text", ["", "role", "role:", "team:x", "requester:x"])
def test_what_is_no_recipient(text: str) -> None:
    with pytest.raises(ValueError, match=text or "^$"):
        recipient(text)


def test_families_of_topics_and_what_nobody_knows() -> None:
    assert (topic_of("approval.asked").needed, topic_of("approval.asked").personal) == (True, True)
    assert (topic_of("alert.x").importance, topic_of("alert.x").needed) == ("normal", False)
    assert (topic_of("system.x").importance, topic_of("system.x").personal) == ("high", False)
    unknown = topic_of("shop.order")
    assert (unknown.name, unknown.importance, unknown.personal) == ("shop.order", "normal", False)
    names = [topic.name for topic in TOPICS]
    assert len(names) == len(set(names))
    for topic in TOPICS:  # none is hidden behind a family that stands before it
        assert topic_of(topic.name).sample == topic.sample
