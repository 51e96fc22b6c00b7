"""What a person typed comes back as the plain words it was."""

import pytest

from bot.slack.typed import mentions, words
from tests.fakes.slack.wire import as_typed


@pytest.mark.parametrize(
    ("handed_on", "typed"),
    [
        ("<@U0BOT> 見積 モニター5台", "見積 モニター5台"),
        ("見積を <@U0BOT> お願い", "見積を  お願い"),
        ("R&amp;D &lt;至急&gt;", "R&D <至急>"),
        ("&amp;lt;", "&lt;"),
        ("<mailto:a@abc.example|a@abc.example> まで", "a@abc.example まで"),
        ("<tel:0312345678|03-1234-5678>", "03-1234-5678"),
        ("<http://ABC.example|ABC.example> 5台", "ABC.example 5台"),
        ("<https://abc.example/x?a=1&amp;b=2>", "https://abc.example/x?a=1&b=2"),
        ("<@U2|hanako> さん", "@hanako さん"),
        ("<@U2> さん", "@U2 さん"),
        ("<#C1|sales> で", "#sales で"),
        ("<!here> <!subteam^S1|@eigyo> <!date^1^{date}|昨日>", "@here @eigyo 昨日"),
        ("  ", ""),
    ],
)
def test_slacks_marks_become_words(handed_on: str, typed: str) -> None:
    assert words(handed_on, "U0BOT") == typed


@pytest.mark.parametrize("said", ["A & B < C > D", "<script>", "&amp;", "a@b.example 5台"])
def test_what_was_typed_is_read_as_it_was_typed(said: str) -> None:
    assert words(as_typed(said)) == said


def test_a_mention_is_of_one_user_only() -> None:
    assert mentions("ねえ <@U1> さん", "U1")
    assert mentions("ねえ <@U1|bot> さん", "U1")
    assert not mentions("ねえ <@U12> さん", "U1")
    assert not mentions("ねえ @U1 さん", None)
