"""Who decides by a route: each rule of finding, leaving out, handing on and refusing."""

from datetime import UTC, date, datetime

import pytest

from core.approvals.plan import Circulated, Rung
from core.errors import Refused
from core.words import LANGUAGES
from tests.core.approvals.charts import STAFF, Company, acts, member, person

COMPANY = Company()


@pytest.mark.parametrize(
    ("who", "found"),
    [
        ('{ person = "mori" }', "mori"),
        ('{ role = "approver" }', "mori sato suzuki"),
        ('{ post = "部長" }', "sato"),
        ('{ department = "営業部" }', "sato"),
        ('{ department = "requester", role = "approver" }', "sato"),
        ('{ department = "経理部", post = "課長", role = "accountant" }', "suzuki"),
        ("{ superior = 1 }", "suzuki"),
        ("{ superior = 3 }", "mori"),
        ('{ superior = 2, post = "部長" }', "sato"),
        ('{ person = "mori" }, { superior = 1 }, { person = "mori" }', "mori suzuki"),
    ],
)
def test_a_route_finds_its_people(who: str, found: str) -> None:
    plan = COMPANY.freeze(f"a: who = [{who}]")

    assert COMPANY.shown(plan) == [f"a: 1 of {found}"]


@pytest.mark.parametrize(
    "who",
    [
        '{ person = "nobody" }',
        "{ superior = 4 }",
        '{ superior = 1, post = "部長" }',
        '{ post = "部長", role = "accountant" }',
    ],
)
def test_a_step_that_finds_no_one_refuses_the_request(who: str) -> None:
    with pytest.raises(Refused) as refused:
        COMPANY.freeze(f"a: who = [{who}]")

    assert "Nobody can decide at “a”: there is nobody whom it would fit." in refused.value.words.en
    for language in LANGUAGES:
        assert "miyabi routes show" in refused.value.words.to(language)


def test_whoever_is_in_no_department_has_no_colleagues() -> None:
    company = Company((*STAFF, member("yamada"), member("kato", roles="approver")))

    with pytest.raises(Refused):
        company.freeze('a: who = [{ department = "requester" }]', requester="yamada")


def test_need_is_one_or_all_or_a_number() -> None:
    plan = COMPANY.freeze("""
        a: who = [{ role = "approver" }], need = "all"
        b: who = [{ role = "approver" }], need = 2
        c: who = [{ role = "approver" }]
    """, once="false")  # fmt: skip

    assert [(stage.need, stage.everybody) for stage in plan.stages] == [
        (3, True),
        (2, False),
        (1, False),
    ]


def test_a_quorum_that_cannot_be_reached_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        COMPANY.freeze('a: who = [{ role = "approver" }], need = 3', authors=("sato",))

    assert "“a” needs 3 approvals, but only 2 can decide: Mori, Suzuki." in refused.value.words.en


def test_authors_and_those_who_act_for_them_do_not_decide() -> None:
    company = Company(delegations=(acts("tanaka", "suzuki"), acts("suzuki", "sato")))
    step = 'a: who = [{ role = "approver" }]'

    assert company.shown(company.freeze(step)) == ["a: 1 of mori"]


def test_the_only_approver_asked_for_it_themselves() -> None:
    with pytest.raises(Refused) as refused:
        COMPANY.freeze('a: who = [{ person = "mori" }]', requester="mori")

    assert "only who asked for this, edited it, or acts for them (Mori)" in refused.value.words.en


def test_a_delegation_of_another_form_keeps_nobody_from_deciding() -> None:
    company = Company(delegations=(acts("tanaka", "suzuki", date.min, date.max, "quote"),))

    assert company.shown(company.freeze("a: who = [{ superior = 1 }]")) == ["a: 1 of suzuki"]


def test_whoever_has_left_decides_nothing() -> None:
    staff = (STAFF[0], member("suzuki", "sato", "approver", active=False), *STAFF[2:])
    company = Company(staff, (acts("mori", "suzuki"),))

    plan = company.freeze("""
        a: who = [{ superior = 1 }], empty = "next"
        b: who = [{ superior = 1 }], empty = "superior"
        c: who = [{ person = "mori" }]
    """)

    assert company.shown(plan) == ["a: -", "b: 1 of sato", "c: 1 of mori"]
    note = plan.stages[0].note
    assert note is not None
    assert note.ja == "省略: 当てはまる人がいません"


def test_the_superior_of_those_who_cannot_decide_is_asked() -> None:
    step = 'a: who = [{ person = "suzuki" }], empty = "superior"'
    nobody = 'a: who = [{ post = "部長", role = "accountant" }], empty = "superior"'

    assert COMPANY.shown(COMPANY.freeze(step, authors=("suzuki",))) == ["a: 1 of sato"]
    assert COMPANY.shown(COMPANY.freeze(step, authors=("suzuki", "sato"))) == ["a: 1 of mori"]
    assert COMPANY.shown(COMPANY.freeze(nobody)) == ["a: 1 of suzuki"]
    with pytest.raises(Refused):
        COMPANY.freeze('a: who = [{ person = "mori" }], empty = "superior"', requester="mori")


def test_superiors_that_go_round_end() -> None:
    company = Company((member("a", "b"), member("b", "a"), member("c", "c", "approver")))

    assert company.shown(company.freeze("x: who = [{ superior = 1 }]", requester="a")) == [
        "x: 1 of b"
    ]
    with pytest.raises(Refused):
        company.freeze("x: who = [{ superior = 2 }]", requester="a")


def test_a_route_without_anybody_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        COMPANY.freeze("""
            a: who = [{ person = "nobody" }], empty = "next"
            b: who = [{ person = "mori" }], when = "amount > 50000"
        """)

    assert "“r” has nobody who would decide" in refused.value.words.en


def test_a_condition_leaves_a_step_out_or_keeps_it() -> None:
    steps = """
        a: who = [{ superior = 1 }]
        b: who = [{ post = "部長" }], when = "amount >= 100000"
        c: who = [{ post = "社長" }], when = "requester == 'tanaka' && kind == 'expense'"
        d: who = [{ post = "社長" }], when = "department != '営業部' || grade != '3'"
    """
    costly = Company(terms={"amount": 100_000})

    assert [stage.name for stage in COMPANY.freeze(steps).stages] == ["a", "c"]
    assert [stage.name for stage in costly.freeze(steps).stages] == ["a", "b", "c"]


def test_a_condition_that_cannot_be_told_refuses_the_request() -> None:
    steps = """
        a: who = [{ superior = 1 }]
        b: who = [{ post = "部長" }], when = "discount > 10"
    """

    with pytest.raises(Refused) as refused:
        COMPANY.freeze(steps)

    says = "Whether “b” is needed (discount > 10) can't be told. This request has no discount."
    assert says in refused.value.words.en


def test_a_person_counts_once_at_the_last_step_they_stand_in() -> None:
    steps = """
        a: who = [{ superior = 1 }], need = "all"
        b: who = [{ role = "approver" }], need = 2
        c: who = [{ post = "課長" }, { post = "部長" }], need = "all"
    """

    plan = COMPANY.freeze(steps)

    assert COMPANY.shown(plan) == ["a: -", "b: 1 of mori", "c: 2 of suzuki sato"]
    note = plan.stages[0].note
    assert note is not None
    assert note.en == "Suzuki will decide at a later step"
    assert COMPANY.shown(COMPANY.freeze(steps, once="false")) == [
        "a: 1 of suzuki",
        "b: 2 of mori sato suzuki",
        "c: 2 of suzuki sato",
    ]


def test_a_delegate_counts_once_too() -> None:
    company = Company(delegations=(acts("suzuki", "mori"),))

    plan = company.freeze("""
        a: who = [{ superior = 1 }, { person = "sato" }], need = "all"
        b: who = [{ person = "mori" }]
    """)

    assert company.shown(plan) == ["a: 1 of sato", "b: 1 of mori"]


# Delegates


@pytest.mark.parametrize(
    ("now", "holder"),
    [
        (datetime(2026, 11, 9, 14, 59, 59, tzinfo=UTC), "suzuki"),
        (datetime(2026, 11, 9, 15, 0, tzinfo=UTC), "mori(suzuki)"),  # 00:00 of the 10th in Tokyo
        (datetime(2026, 11, 12, 14, 59, 59, tzinfo=UTC), "mori(suzuki)"),
        (datetime(2026, 11, 12, 15, 0, tzinfo=UTC), "suzuki"),
    ],
)
def test_a_delegate_decides_on_the_dates_of_where_the_person_lives(
    now: datetime, holder: str
) -> None:
    company = Company(delegations=(acts("suzuki", "mori", date(2026, 11, 10), date(2026, 11, 12)),))

    plan = company.freeze("a: who = [{ superior = 1 }]", now=now)

    assert company.shown(plan) == [f"a: 1 of {holder}"]


def test_the_delegate_for_the_form_comes_before_one_for_all_and_a_new_one_before_an_old() -> None:
    company = Company(
        delegations=(
            acts("suzuki", "mori", date.min, date.max, "expense"),
            acts("suzuki", "sato"),
            acts("sato", "suzuki", date.min, date.max, "quote"),
        )
    )

    step = "a: who = [{ superior = 1 }]"
    assert company.shown(company.freeze(step)) == ["a: 1 of mori(suzuki)"]
    assert company.shown(company.freeze(step, form="payment")) == ["a: 1 of sato(suzuki)"]


def test_a_chain_of_delegates_ends_after_three() -> None:
    more = [member(handle) for handle in ("d1", "d2", "d3", "d4")]
    links = [acts(a, b) for a, b in zip(("suzuki", "d1", "d2", "d3"), ("d1", "d2", "d3", "d4"))]  # noqa: B905
    company = Company((*STAFF, *more), tuple(links))

    plan = company.freeze("a: who = [{ superior = 1 }]")

    assert company.shown(plan) == ["a: 1 of d3(suzuki)"]


def test_a_circle_of_delegates_is_refused_by_their_names() -> None:
    company = Company(
        delegations=(acts("suzuki", "sato"), acts("sato", "mori"), acts("mori", "sato"))
    )

    with pytest.raises(Refused) as refused:
        company.freeze("a: who = [{ superior = 1 }]")

    assert "go round in a circle: Sato → Mori → Sato" in refused.value.words.en


def test_what_nobody_decides_for_another_stays_with_the_person() -> None:
    company = Company(delegations=(acts("suzuki", "sato"), acts("sato", "suzuki")))

    plan = company.freeze("a: who = [{ superior = 1 }], delegable = false")

    assert company.shown(plan) == ["a: 1 of suzuki"]


def test_nothing_is_handed_to_an_author_or_who_acts_for_one() -> None:
    company = Company(delegations=(acts("suzuki", "sato"), acts("sato", "tanaka")))

    plan = company.freeze("a: who = [{ superior = 1 }]")

    assert company.shown(plan) == ["a: 1 of sato(suzuki)"]


def test_two_seats_of_one_holder_are_one() -> None:
    company = Company(delegations=(acts("suzuki", "mori"), acts("sato", "mori")))

    plan = company.freeze('a: who = [{ role = "approver" }], need = "all"')
    two = 'a: who = [{ person = "suzuki" }, { person = "sato" }], need = 2'

    assert company.shown(plan) == ["a: 1 of mori"]
    with pytest.raises(Refused) as refused:
        company.freeze(two)
    assert "needs 2 approvals, but only 1 can decide: Mori" in refused.value.words.en


# What is told to others


def test_the_end_is_told_to_each_once_and_not_to_the_requester() -> None:
    plan = COMPANY.freeze(
        "a: who = [{ superior = 1 }]",
        inform='[{ role = "accountant" }, { post = "課長" , confirm = true }, { superior = 2 },'
        ' { department = "営業部" }]',
    )

    assert plan.inform == (
        Circulated(person("suzuki"), confirm=True),
        Circulated(person("sato"), confirm=False),
    )


def test_a_ladder_hands_nothing_to_who_may_not_decide() -> None:
    plan = COMPANY.freeze(
        "a: who = [{ superior = 1 }]",
        ladder='[{ days = 1, do = "remind" }, { days = 2, do = "delegate", to = "mori" },'
        ' { days = 3, do = "delegate", to = "tanaka" }, { days = 4, do = "delegate", to = "x" }]',
    )

    assert plan.ladder == (
        Rung(1, "remind"),
        Rung(2, "delegate", person("mori")),
        Rung(3, "escalate"),
        Rung(4, "escalate"),
    )
