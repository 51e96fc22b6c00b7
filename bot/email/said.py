"""A mail's words as they are taken in: a reply's own, or a request with what its subject adds."""

from collections.abc import Sequence

from bot.email import taking_in
from bot.email.case import Case
from bot.email.headings import Adds, unless_repeated
from bot.email.reading.mail import File
from bot.email.requests import agent_meant, linking_code, reply_text, request_text
from bot.email.threads import Conversation
from core.agent import Agent
from core.errors import MiyabiError
from core.people import Person


async def text_of(
    case: Case, person: Person | None, conversation: Conversation | None, files: Sequence[File]
) -> str:
    """What a mail says to us, in the words that are taken in everywhere."""
    if person is None:
        return linking_code(case.mail) or ""
    if conversation is not None:
        return reply_text(case.mail)
    purpose, agents = case.box.purpose, case.house.agents
    agent = agent_meant(case.mail, purpose, agents)
    adds = await _adds(case, person, agent)
    return request_text(case.mail, purpose, agents, taking_in.names(files), adds)


async def _adds(case: Case, person: Person, agent: Agent | None) -> Adds:
    """How a subject is read with the text below it."""
    if agent is None or agent.headed is None:
        return unless_repeated
    try:
        catalogue = await case.house.catalogue(person.organisation_id)
    except MiyabiError:  # said to whoever asked, as soon as the work begins
        return unless_repeated
    headed, today = agent.headed, person.today()
    return lambda heading, text: headed(heading, text, catalogue, today)
