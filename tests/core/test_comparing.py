"""What has changed between two revisions: everything that has, and nothing else."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.agent import Summary
from core.comparing import MOST, differences, shown
from core.messages import Field, Line

TEXT = st.text(st.sampled_from("ab5円 <"), max_size=4)
FIELDS = st.lists(st.builds(Field, TEXT, TEXT), max_size=4).map(tuple)
LINES = st.lists(st.builds(Line, TEXT, TEXT, TEXT), max_size=5).map(tuple)
SUMMARIES = st.builds(Summary, FIELDS, LINES, FIELDS, TEXT)


@given(SUMMARIES)
def test_what_is_the_same_has_no_differences(summary: Summary) -> None:
    assert differences(summary, summary, "ja") == ()
    turned = replace(summary, lines=tuple(reversed(summary.lines)))
    assert differences(summary, turned, "ja") == (), "an order of lines is none of content"


@given(SUMMARIES, SUMMARIES)
def test_there_are_differences_wherever_something_differs(before: Summary, after: Summary) -> None:
    found = differences(before, after, "en")
    same = (
        sorted(map(repr, before.fields)) == sorted(map(repr, after.fields))
        and sorted(map(repr, before.lines)) == sorted(map(repr, after.lines))
        and sorted(map(repr, before.totals)) == sorted(map(repr, after.totals))
        and before.note == after.note
    )
    assert bool(found) != same
    assert len(found) == len(differences(after, before, "en")), "there and back alike"
    assert len(shown(found, "en")) <= MOST


def test_lines_and_amounts_are_told_apart() -> None:
    before = Summary(
        lines=(Line("Monitor", "5 x", "100"), Line("Desk", "1 x", "50")),
        totals=(Field("Total", "150"),),
    )
    after = Summary(
        lines=(Line("Monitor", "6 x", "120"), Line("Chair", "1 x", "30")),
        totals=(Field("Total", "150"),),
    )
    assert differences(before, after, "en") == (
        "Monitor: 5 x → 6 x, 100 → 120",
        "+ Chair 1 x 30",
        "− Desk 1 x 50",
    )
