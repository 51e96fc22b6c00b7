"""What holds of every decision, whatever people chose, whatever the rules, whenever it is."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from core.notices import IMPORTANCES
from core.preferences import Channels, Digest, Mute, Preferences, QuietHours
from core.quiet_hours import is_quiet
from notifier.hub.deciding import decide
from notifier.hub.decision import Decision, Matter, Reader
from notifier.hub.rule_file import rules_of
from notifier.hub.rules import Rules
from notifier.hub.topics import TOPICS, matter_of
from tests.notifier.hub.reading import DISCORD, EMAIL, LINE, SATO, SLACK

AT_ONCE = {"digest", "test", "approval.code"}
NAMES = ("slack", "line", "email", "discord")
PATTERNS = st.sampled_from(["*", "alert.*", "security.*", "approval.*", "task.failed", "digest"])
TIMES = st.times(min_value=time(0), max_value=time(23, 59)).map(
    lambda each: each.replace(second=0, microsecond=0)
)
MOMENTS = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
CHANNELS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple)

CHOSEN = st.builds(
    Preferences,
    channels=st.lists(
        st.builds(
            Channels, PATTERNS, CHANNELS,
            st.lists(st.sampled_from(IMPORTANCES), max_size=2).map(tuple), st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    quiet=st.none() | st.builds(QuietHours, TIMES, TIMES, st.booleans()),
    digests=st.lists(
        st.builds(
            Digest, PATTERNS, st.sampled_from(["at_once", "hourly", "daily", "weekly"]), TIMES
        ),
        max_size=2,
    ).map(tuple),
    mutes=st.lists(
        st.builds(
            Mute, PATTERNS, st.none(), st.none() | MOMENTS, st.sampled_from(["", *NAMES])
        ),
        max_size=3,
    ).map(tuple),
    critical_passes=st.booleans(),
    critical_most=st.none() | st.integers(1, 3),
)  # fmt: skip
READERS = st.builds(
    lambda ways, chosen, zone, criticals: replace(
        SATO, ways=tuple(ways), preferences=chosen, zone=zone, criticals=criticals
    ),
    st.lists(
        st.sampled_from([SLACK, LINE, EMAIL, DISCORD, replace(EMAIL, reached=False)]),
        unique_by=lambda way: way.channel,
    ),
    CHOSEN,
    st.sampled_from(["Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
    st.integers(0, 4),
)
MATTERS = st.builds(
    lambda topic, importance, home: matter_of(topic.replace("*", "x"), importance, home=home),
    st.sampled_from([topic.name for topic in TOPICS] + ["shop.order"]),
    st.sampled_from(IMPORTANCES),
    st.none() | st.sampled_from([("slack", "T1"), ("line", "L1"), ("slack", "T9")]),
)
RULES = st.sampled_from(
    [
        rules_of(),
        rules_of('[[rules]]\nname = "a"\nchannels = ["line"]\nuse = "all"'),
        rules_of('[[rules]]\nname = "a"\ndigest = { rhythm = "daily" }\nimportance = ["low"]'),
    ]
)


@given(MATTERS, READERS, RULES, MOMENTS)
@settings(max_examples=400, deadline=None)
def test_every_decision(matter: Matter, reader: Reader, rules: Rules, now: datetime) -> None:
    decision = decide(matter, reader, rules, (), now)

    codes = [reason.code for reason in decision.reasons]
    assert codes, "each has a reason"
    assert all(way.reached and way in reader.ways for way in decision.ways)
    assert len(set(decision.ways)) == len(decision.ways)
    assert decision.together <= max(len(decision.ways), 1)
    if decision.outcome == "dropped":
        assert {"mute", "no_way", "elsewhere"} & {*codes}
        assert not (matter.needed and "mute" in codes and decision.ways)
        assert decision.until is None
        return
    assert decision.ways
    _holds_in_time(decision, matter, reader, now)


def _holds_in_time(decision: Decision, matter: Matter, reader: Reader, now: datetime) -> None:
    chosen = reader.preferences
    quiet = is_quiet(chosen.quiet, ZoneInfo(reader.zone), (), now)
    waits = decision.outcome in {"held", "digest"}
    assert waits is (decision.until is not None) is (decision.window is not None)
    if waits:
        assert decision.until is not None
        assert decision.until > now
        assert matter.topic not in AT_ONCE
        assert decision.outcome == "held" or matter.importance != "critical"
    if decision.outcome == "held":
        assert quiet
    elif decision.outcome == "now" and quiet:
        passes = matter.importance == "critical" and chosen.critical_passes
        assert passes or matter.topic in AT_ONCE
        limited = chosen.critical_most is not None and reader.criticals >= chosen.critical_most
        assert not limited or matter.topic in AT_ONCE
