"""Who is told how: the default rules, what people chose, mutes, digests and quiet hours."""

from dataclasses import replace
from datetime import UTC, datetime, time
from uuid import UUID

from core.preferences import Channels, Digest, Mute, Preferences, QuietHours
from notifier.hub.deciding import decide
from notifier.hub.decision import Decision, Matter, Reader, Way
from notifier.hub.rule_file import rules_of
from notifier.hub.topics import matter_of
from tests.notifier.hub.reading import DISCORD, EMAIL, LINE, RULES, SATO, SLACK, reader

NOON = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)  # Friday, 12:00 in Tokyo
NIGHT = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)  # 23:00
TASK = UUID(int=7)
QUIET = QuietHours(time(22), time(8))


def told(matter: Matter, who: Reader = SATO, now: datetime = NOON, rules: str = "") -> Decision:
    return decide(matter, who, rules_of(rules) if rules else RULES, (), now)


def at_once(decision: Decision) -> list[Way]:
    return list(decision.ways[: decision.together])


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


def test_the_default_rules_are_the_seeds() -> None:
    assert at_once(told(matter_of("somebody.asked"))) == [SLACK]
    assert at_once(told(matter_of("report.daily"))) == [EMAIL]
    assert at_once(told(matter_of("alert.disk", "high"))) == [EMAIL, SLACK]
    assert at_once(told(matter_of("task.done", task_id=TASK))) == [LINE]
    assert at_once(told(matter_of("security.token_made"))) == [EMAIL, LINE]
    assert at_once(told(matter_of("community.party"))) == [DISCORD]
    assert at_once(told(matter_of("log.backup"))) == [DISCORD]


def test_what_a_rule_does_not_name_still_reaches_somebody_who_has_nothing_else() -> None:
    only = Way("console", "local", "sato")

    assert at_once(told(matter_of("somebody.asked"), reader(only))) == [only]


def test_approvals_are_told_where_the_task_lives_or_by_all_there_is() -> None:
    here = matter_of("approval.requested", task_id=TASK, home=("line", "L1"))
    away = matter_of("approval.requested", task_id=TASK, home=("slack", "T9"))

    assert at_once(told(here)) == [LINE]
    assert at_once(told(away)) == [SLACK, LINE, EMAIL, DISCORD]


def test_a_failure_is_not_told_again_where_the_task_shows_it() -> None:
    by_mail = matter_of("task.failed", task_id=TASK, home=("email", ""))
    by_chat = matter_of("task.failed", task_id=TASK, home=("slack", "T1"))

    assert told(by_mail).outcome == "dropped"
    assert "no_way" not in codes(told(by_mail))
    assert at_once(told(by_chat)) == [EMAIL]


def test_their_own_order_counts_before_the_rules() -> None:
    chosen = reader(channels=(Channels("alert.*", ("line", "slack"), ("high", "critical")),))

    assert list(told(matter_of("alert.disk", "high"), chosen).ways) == [LINE, SLACK]
    assert at_once(told(matter_of("alert.disk", "high"), chosen)) == [LINE]
    assert at_once(told(matter_of("alert.disk", "normal"), chosen)) == [SLACK]


def test_by_all_channels_at_once() -> None:
    chosen = reader(channels=(Channels("*", ("line", "slack"), all_at_once=True),))

    assert at_once(told(matter_of("alert.disk", "high"), chosen)) == [LINE, SLACK]


def test_where_none_of_their_channels_reaches_them_the_rule_does() -> None:
    gone = replace(LINE, reached=False)
    chosen = reader(SLACK, gone, channels=(Channels("*", ("line",)),))

    decision = told(matter_of("alert.disk", "high"), chosen)

    assert list(decision.ways) == [SLACK]
    assert codes(decision) == ["unreached", "preference", "unreached", "rule"]


def test_what_is_needed_may_fall_back_beyond_their_channels() -> None:
    chosen = reader(channels=(Channels("*", ("line",)),))

    assert told(matter_of("security.token_made"), chosen).ways[0] == LINE
    assert set(told(matter_of("security.token_made"), chosen).ways) == set(SATO.ways)
    assert list(told(matter_of("task.done"), chosen).ways) == [LINE]


def test_who_has_no_account_is_reached_nowhere() -> None:
    decision = told(matter_of("alert.disk", "high"), replace(SATO, ways=()))

    assert (decision.outcome, codes(decision)) == ("dropped", ["rule", "no_way"])


def test_a_mute_of_a_task_or_a_topic_until() -> None:
    by_topic = reader(mutes=(Mute("alert.*", until=NIGHT),))
    by_task = reader(mutes=(Mute(task_id=TASK),))

    assert told(matter_of("alert.disk", "high"), by_topic).outcome == "dropped"
    assert told(matter_of("alert.disk", "high"), by_topic, NIGHT).outcome == "now"
    assert told(matter_of("task.done", task_id=TASK), by_task).outcome == "dropped"
    assert told(matter_of("task.done", task_id=UUID(int=8)), by_task).outcome == "now"


def test_what_is_needed_is_told_by_one_channel_although_it_is_muted() -> None:
    everything = reader(mutes=(Mute("*"),))

    decision = told(matter_of("security.token_made"), everything)

    assert (decision.outcome, at_once(decision)) == ("now", [EMAIL])
    assert codes(decision)[-2:] == ["mute", "needed"]


def test_a_channel_that_is_not_wanted_is_struck_out() -> None:
    no_mail = reader(mutes=(Mute("*", channel="email"),))
    mail_only = reader(EMAIL, mutes=(Mute("digest", channel="email"),))

    assert at_once(told(matter_of("alert.disk", "high"), no_mail)) == [SLACK]
    assert EMAIL not in told(matter_of("alert.disk", "high"), no_mail).ways
    assert told(matter_of("digest"), mail_only).outcome == "dropped"
    assert told(matter_of("report.daily"), mail_only).outcome == "now"


def test_quiet_hours_hold_until_they_end() -> None:
    decision = told(matter_of("alert.disk", "high"), reader(quiet=QUIET), NIGHT)

    assert decision.outcome == "held"
    assert decision.until == datetime(2026, 11, 27, 23, 0, tzinfo=UTC)  # 8:00 the next morning
    assert decision.window is not None
    assert decision.window.due_at == decision.until
    assert "the company's" in decision.reasons[-1].words.en
    assert told(matter_of("alert.disk", "high"), reader(quiet=QUIET)).outcome == "now"


def test_critical_passes_quiet_hours_and_says_so() -> None:
    critical = matter_of("alert.disk", "critical")
    open_to_it = reader(quiet=QUIET)
    not_open = reader(quiet=QUIET, critical_passes=False)
    most = reader(quiet=QUIET, critical_most=2)

    assert codes(told(critical, open_to_it, NIGHT))[-1] == "critical"
    assert told(critical, open_to_it, NIGHT).outcome == "now"
    assert told(critical, not_open, NIGHT).outcome == "held"
    assert told(critical, replace(most, criticals=1), NIGHT).outcome == "now"
    assert told(critical, replace(most, criticals=2), NIGHT).outcome == "held"
    assert told(critical, replace(most, criticals=2), NOON).outcome == "now"


def test_digests_by_choice_before_those_by_rule() -> None:
    rule = """
        [[rules]]
        name = "logs once a day"
        topics = ["log.*"]
        digest = { rhythm = "daily", at = "18:00" }
    """
    hourly = reader(digests=(Digest("log.*", "hourly"),))
    at_once = reader(digests=(Digest("log.*", "at_once"),))

    by_rule = told(matter_of("log.backup"), rules=rule)
    assert (by_rule.outcome, by_rule.until) == ("digest", NOON.replace(hour=9))
    assert told(matter_of("log.backup"), hourly, rules=rule).until == NOON.replace(hour=4)
    assert told(matter_of("log.backup"), at_once, rules=rule).outcome == "now"
    assert told(matter_of("log.backup", "critical"), hourly).outcome == "now"


def test_a_digest_itself_is_neither_held_nor_put_into_one() -> None:
    who = reader(quiet=QUIET, digests=(Digest("*", "daily"),))

    assert told(matter_of("digest"), who, NIGHT).outcome == "now"


def test_a_rule_for_a_role_is_for_nobody_else() -> None:
    rule = """
        [[rules]]
        name = "admins by line"
        role = "admin"
        channels = ["line"]
    """
    admin = replace(SATO, roles=frozenset({"admin"}))

    assert at_once(told(matter_of("alert.disk", "high"), admin, rules=rule)) == [LINE]
    assert at_once(told(matter_of("alert.disk", "high"), rules=rule)) == [EMAIL, SLACK]


def test_the_same_question_has_the_same_answer() -> None:
    who = reader(quiet=QUIET, digests=(Digest("log.*", "hourly"),))

    assert told(matter_of("alert.disk", "high"), who, NIGHT) == told(
        matter_of("alert.disk", "high"), who, NIGHT
    )
    assert replace(who, preferences=Preferences()) == SATO
