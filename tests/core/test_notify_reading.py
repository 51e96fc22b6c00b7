"""The grammar of what people say about their notifications, in three languages."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Refused
from core.notify_commands import changed
from core.notify_reading import read_wish
from core.notify_wishes import (
    ListLast,
    Reset,
    SetChannels,
    SetCritical,
    SetDigest,
    SetLanguage,
    SetMute,
    SetQuiet,
    SetZone,
    Show,
    Wish,
)
from core.preferences import Channels, Digest, Preferences, QuietHours, channels_for, digest_for

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 27, 14, 20, tzinfo=TOKYO)
KNOWN = ("email", "line", "slack")


def read(text: str) -> Wish:
    return read_wish(text, NOW, TOKYO, KNOWN)


def tokyo(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=TOKYO)  # type: ignore[arg-type,misc]


NIGHT = SetQuiet(time(22), time(8))
DAILY = SetDigest("*", Digest("*", "daily", time(9)))
MONDAY = SetDigest("*", Digest("*", "weekly", time(9), 0))
TOMORROW = tokyo(2026, 11, 28)
LOUD = SetChannels(Channels("alert.*", ("line",), ("critical",)))
HIGH = SetChannels(Channels("*", ("email", "slack"), ("high",)))


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("", Show()),
        ("表示", Show()),
        ("quiet 22:00-8:00", NIGHT),
        ("quiet from 10pm to 8am", NIGHT),
        ("ＱＵＩＥＴ　２２：００〜８：００", NIGHT),
        ("静か 夜10時から朝8時まで", NIGHT),
        ("静音 晚上10点到早上8点", NIGHT),
        ("静か 22時半-24:00", SetQuiet(time(22, 30), time(0))),
        ("quiet 22-8 holidays", SetQuiet(time(22), time(8), days_off=True)),
        ("静か 22:00-8:00 休日も", SetQuiet(time(22), time(8), days_off=True)),
        ("静音 节假日", SetQuiet(days_off=True)),
        ("quiet off", SetQuiet()),
        ("静か オフ", SetQuiet()),
        ("静音 关", SetQuiet()),
        ("digest daily 9:00", DAILY),
        ("まとめ 毎日9時", DAILY),
        ("汇总 每天", DAILY),
        ("digest weekly monday", MONDAY),
        ("まとめ 毎週月曜 9:00", MONDAY),
        ("汇总 每周一 9:00", MONDAY),
        ("digest log.* hourly", SetDigest("log.*", Digest("log.*", "hourly"))),
        ("digest known.now daily", SetDigest("known.now", Digest("known.now", "daily"))),
        ("digest off", SetDigest("*", Digest("*", "at_once"))),
        ("digest default", SetDigest("*", None)),
        ("mute #1042 until tomorrow", SetMute(1042, until=TOMORROW)),
        ("ミュート #1042 明日まで", SetMute(1042, until=TOMORROW)),
        ("静默 #1042 到明天", SetMute(1042, until=TOMORROW)),
        ("mute task until 18:00", SetMute(pattern="task.*", until=tokyo(2026, 11, 27, 18))),
        ("mute task until 9:00", SetMute(pattern="task.*", until=tokyo(2026, 11, 28, 9))),
        ("mute alert.disk 2h", SetMute(pattern="alert.disk", until=tokyo(2026, 11, 27, 16, 20))),
        ("ミュート ログ 12/5 9:00まで", SetMute(pattern="log.*", until=tokyo(2026, 12, 5, 9))),
        ("mute log.* for good", SetMute(pattern="log.*")),
        ("mute digest email", SetMute(pattern="digest", channel="email")),
        ("mute log today", SetMute(pattern="log.*", until=TOMORROW)),
        ("ミュート解除 #1042", SetMute(1042, off=True)),
        ("取消静默 告警", SetMute(pattern="alert.*", off=True)),
        ("channels high email,slack", HIGH),
        ("チャンネル 重要 email、slack", HIGH),
        ("channels all slack line", SetChannels(Channels("*", ("slack", "line"), (), True))),
        ("channels alert critical line", LOUD),
        ("channels default", SetChannels(Channels("*", ()))),
        ("language en", SetLanguage("en")),
        ("言語 中国語", SetLanguage("zh")),
        ("zone Asia/Taipei", SetZone("Asia/Taipei")),
        ("时区 taipei", SetZone("Asia/Taipei")),
        ("zone new york", SetZone("America/New_York")),
        ("時間帯 会社", SetZone(None)),
        ("critical off", SetCritical(passes=False)),
        ("緊急 5", SetCritical(most=5)),
        ("list 2", ListLast(2)),
        ("初期化", Reset()),
    ],
)  # fmt: skip
def test_it_is_read(text: str, wish: Wish) -> None:
    assert read(text) == wish


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("loud", "loud"),
        ("quietly 22:00-8:00", "quietly"),
        ("quiet", "quiet 22:00-8:00"),
        ("quiet 25:00-8:00", "25:00"),
        ("quiet 22:00-8:00 foo", "foo"),
        ("quiet 9:00-9:00", "begins"),
        ("digest often", "often"),
        ("digest", "digest daily 9:00"),
        ("mute", "mute #1042"),
        ("mute nonsense", "nonsense"),
        ("mute #1042 until yesterday", "yesterday"),
        ("channels fax", "email, line, slack"),
        ("channels high", "email, line, slack"),
        ("language fr", "ja, en"),
        ("zone tapei", "Asia/Taipei"),
        ("zone", "Asia/Tokyo"),
        ("critical 0", "critical 5"),
        ("list 0", "0"),
    ],
)
def test_what_is_not_understood_is_named_with_what_is(text: str, names: str) -> None:
    with pytest.raises(Refused) as refused:
        read(text)
    assert names in refused.value.words.en
    assert all(refused.value.words.to(language) for language in ("ja", "en", "zh"))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["quiet", "mute", "digest", "channels", "zone", "ミュート", "まとめ", ""]),
    st.text(max_size=40),
)
def test_whatever_is_typed_is_read_or_refused(verb: str, text: str) -> None:
    try:
        wish = read(f"{verb} {text}")
    except Refused:
        return
    if isinstance(wish, SetMute) and wish.until is not None:
        assert wish.until > NOW


@given(st.sampled_from(sorted(z for z in available_timezones() if "/" in z)))
def test_every_zone_can_be_named(zone: str) -> None:
    assert read(f"zone {zone}") == SetZone(zone)


@given(st.times(), st.times(), st.booleans())
def test_hours_are_kept_as_they_were_said(begins: time, ends: time, days_off: bool) -> None:
    begins, ends = (each.replace(second=0, microsecond=0) for each in (begins, ends))
    if begins == ends:
        return
    more = " holidays" if days_off else ""
    wish = read(f"quiet {begins:%H:%M}-{ends:%H:%M}{more}")
    assert changed(Preferences(), wish).quiet == QuietHours(begins, ends, days_off)


def test_a_mute_for_so_long_ends_then_also_where_the_clock_is_changed() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    wish = read_wish("mute log 3h", before, berlin, KNOWN)
    assert isinstance(wish, SetMute)
    assert wish.until == before + timedelta(hours=3)


# What comes of it


def choose(*texts: str) -> Preferences:
    chosen = Preferences()
    for text in texts:
        chosen = changed(chosen, read(text))
    return chosen


def test_what_is_more_exact_counts_whatever_was_said_first() -> None:
    chosen = choose(
        "channels slack", "channels high email", "channels alert.* line", "channels alert.* slack"
    )
    assert channels_for(chosen, "task.done", "normal") == Channels("*", ("slack",))
    assert channels_for(chosen, "task.done", "high") == Channels("*", ("email",), ("high",))
    assert channels_for(chosen, "alert.disk", "high") == Channels("alert.*", ("slack",))
    assert len(chosen.channels) == 3
    assert choose("channels slack", "channels high email", "channels default").channels == ()
    chosen = choose("digest daily 9:00", "digest alert off", "digest log hourly")
    assert [
        found.rhythm if (found := digest_for(chosen, topic)) else None
        for topic in ("alert.disk", "log.backup", "task.done")
    ] == ["at_once", "hourly", "daily"]


def test_hours_and_days_off_can_be_said_apart() -> None:
    assert choose("quiet 22:00-8:00", "quiet holidays").quiet == QuietHours(
        time(22), time(8), days_off=True
    )
    assert choose("quiet holidays").quiet == QuietHours(time(0), time(0), days_off=True)
    assert choose("quiet holidays", "quiet off").quiet is None
    assert choose("quiet 22-8", "critical off", "critical 3", "reset") == Preferences()
