"""What every agent keeps, whichever it is: found by the same walk as the house finds them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agent import Agent, Attached, gives, step_name
from core.approvals.route_file import read_routes
from core.approvals.routes import kinds_of
from core.bank_accounts import BankAccounts
from core.catalogue import Catalogue
from core.codec import dump, load
from core.company import Company
from core.documents import Files
from core.ledger import Ledger
from core.wiring import check
from core.words import LANGUAGES
from miyabi.plugins import all_agents

AGENTS = list(all_agents().values())
every_agent = pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.name)


@every_agent
def test_its_steps_fit_together(agent: Agent) -> None:
    check(agent, {Catalogue, Company, Files, Ledger, BankAccounts})


@every_agent
def test_every_step_has_a_label_in_every_language(agent: Agent) -> None:
    for step in agent.steps:
        for language in LANGUAGES:
            assert agent.labels[step_name(step)].to(language).strip()


@every_agent
def test_every_result_has_a_type_of_its_own(agent: Agent) -> None:
    kinds = [gives(step) for step in agent.steps]
    assert len(kinds) == len(set(kinds))


@every_agent
def test_it_is_called_by_words_in_lower_case(agent: Agent) -> None:
    assert agent.words
    assert all(word == word.lower().strip() for word in agent.words)


@every_agent
def test_it_can_be_shown_before_it_has_done_anything(agent: Agent) -> None:
    for language in LANGUAGES:
        agent.summarise({agent.asks: agent.begin("x", None, date(2026, 11, 25))}, language)


@given(st.text(max_size=200), st.text(max_size=20), st.text(max_size=50))
def test_any_ask_is_stored_and_read_back_the_same(text: str, key: str, value: str) -> None:
    for agent in AGENTS:
        ask = agent.answer(agent.begin(text, None, date(2026, 11, 25)), key, value)
        assert load(agent.asks, dump(ask)) == ask


@every_agent
def test_a_form_that_is_empty_is_refused_field_by_field(agent: Agent) -> None:
    if agent.form is None:
        pytest.skip("this agent has no form")
    from datetime import UTC, datetime

    catalogue = Catalogue((), (), datetime.now(UTC))
    errors = agent.form.check({}, catalogue, date(2026, 11, 25))
    required = {field.name for field in agent.form.fields if field.required}
    assert required <= {name.split(":")[0] for name in errors}


@every_agent
def test_its_sample_routes_can_be_taken(agent: Agent) -> None:
    if agent.route:
        assert read_routes(agent.route, lambda name: kinds_of(name, [agent]))


@given(st.lists(st.builds(Attached, st.text("0f", min_size=64, max_size=64), st.text(max_size=30),
                          st.just("image/png"), st.integers(1, 10**7)), max_size=3))  # fmt: skip
def test_files_become_part_of_any_ask_and_stay_with_it(files: list[Attached]) -> None:
    for agent in AGENTS:
        if agent.attach is None:
            continue
        bare = agent.begin("x", None, date(2026, 11, 25))
        ask = agent.attach(bare, tuple(files))
        assert agent.attach(ask, tuple(files)) == ask
        assert agent.attach(ask, ()) == bare
        assert load(agent.asks, dump(ask)) == ask
        assert (ask == bare) == (not files)
        later = agent.answer(ask, "k", "v")
        assert agent.attach(later, tuple(files)) == later
