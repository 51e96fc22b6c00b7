"""What a person's mail asks for, in the words that are taken in everywhere."""

import re
import unicodedata
from collections.abc import Mapping

from bot.email.boxes import Purpose
from bot.email.headings import Adds, passed_on, unless_repeated
from bot.email.reading.mail import Mail
from core.agent import Agent
from core.commands import Command, fold, read_command, without_command_word
from core.linking import read_code

LONGEST = 50_000
"""Characters of a mail's text that are taken in; all of it stays in the stored mail."""

_REPLIES = re.compile(
    r"^\s*(?:(?:re|aw|sv|antw|fwd?|wg|tr|返信|転送|回复|答复|转发)\s*(?:\[\d+\]|\(\d+\)|\d+)?\s*[:：]"
    r"|\[[^\[\]\n]{0,80}\]|【(?:転送|返信)】)\s*",
    re.IGNORECASE,
)
_SPACES = re.compile(r"\s+")
_STANDS_ALONE = frozenset({"help", "mine", "approvals"})
"""Commands that name no task."""


def bare_subject(subject: str | None) -> str:
    """A subject without Re:, Fwd:, 転送: and [tags] in front of it."""
    text = _SPACES.sub(" ", subject or "").strip()
    while text:
        shorter = _REPLIES.sub("", text, count=1)
        if shorter == text:
            break
        text = shorter
    return text.strip()


def folded_subject(subject: str | None) -> str:
    """The same for comparing: of two mails of one conversation it is the same."""
    folded = unicodedata.normalize(
        "NFKC", bare_subject(unicodedata.normalize("NFKC", subject or ""))
    )
    return _SPACES.sub("", folded).casefold()


def own_text(mail: Mail) -> str:
    """What the person wrote; of a mail whose text lay in a winmail.dat, that."""
    return (mail.written.new.strip() or mail.tnef_body.strip())[:LONGEST]


def reply_text(mail: Mail) -> str:
    """What a reply says: their own lines, without those of ours that they answer in between."""
    text = own_text(mail)
    own = [line for line in text.splitlines() if not line.lstrip().startswith((">", "＞"))]
    return "\n".join(own).strip() or text


def linking_code(mail: Mail) -> str | None:
    """A code that ties an account to a person, where the mail says nothing else."""
    said = (own_text(mail), bare_subject(mail.subject))
    return next((text for text in said if read_code(text) is not None), None)


def agent_meant(mail: Mail, purpose: Purpose, agents: Mapping[str, Agent]) -> Agent | None:
    """Whose work a new request is: as the mail says by its first word, or the mailbox (`purpose`
    is an agent's name), or as the text reads."""
    text = f"{bare_subject(mail.subject)}\n{own_text(mail)}".strip()
    command = _read(text, agents)
    if command is None or not command.is_agent:
        return agents.get(purpose)
    if purpose in agents and not names_agent(text, agents):
        return agents[purpose]
    return agents[command.name or ""]


def request_text(
    mail: Mail,
    purpose: Purpose,
    agents: Mapping[str, Agent],
    names: str = "",
    adds: Adds = unless_repeated,
) -> str:
    """A new request: what the subject adds, and the text below it; without either the `names` of
    its files, where the mailbox says what for.

    A command may stand in either of them. A mailbox for one kind of request spares people its word.
    A subject such as 質問 that is a command's word, and names no task, is only a subject.
    """
    subject, body = bare_subject(mail.subject)[:LONGEST], own_text(mail)
    if mail.written.forwarded is not None:
        body = passed_on(body)
    of_subject, of_body = _read(subject, agents), _read(body, agents)
    if _is_whole(of_subject) and not mail.references:  # in an answer it was said before
        return f"{subject}\n{body}".strip()
    if _is_whole(of_body):
        return body
    if body and of_subject is not None and _is_builtin(of_subject):
        subject = ""
    agent = agent_meant(mail, purpose, agents)
    if agent is None:
        return f"{subject}\n{body}".strip()[:LONGEST]
    if names_agent(subject, agents) or fold(subject) in agent.words:
        subject = without_command_word(f"{subject} ", agent).strip()
        subject = "" if fold(subject) in agent.words else subject
    if subject and body:
        subject = adds(subject, body)
    text = f"{subject}\n{body}".strip()[:LONGEST] or (names if purpose in agents else "")
    if not text and purpose not in agents:
        return bare_subject(mail.subject)
    if not text or names_agent(text, agents):
        return text
    return f"{_word_for(text, agent)} {text}"


def _word_for(text: str, agent: Agent) -> str:
    """The agent's word in the writing of the text, which tells the language of the answer."""
    own = [word for word in agent.words if word.isascii() is text.isascii()]
    return (own or agent.words)[0]


def names_agent(text: str, agents: Mapping[str, Agent]) -> bool:
    """Whether a text begins with an agent's own word."""
    command = _read(text, agents)
    if command is None or not command.is_agent or command.guessed:
        return False
    return command.rest.strip() != text.strip()


def begins(text: str, agents: Mapping[str, Agent]) -> bool:
    """Whether a text asks for something new, rather than being a command or nothing known."""
    command = _read(text, agents)
    return command is not None and command.is_agent


def is_meant(text: str, agents: Mapping[str, Agent]) -> bool:
    """Whether a reply's text says by its first word what it wants: a command, or an agent's word.

    Other replies answer what was asked, or are talk: 「見積ありがとうございます」 asks for nothing.
    """
    command = _read(text, agents)
    return (command is not None and _is_builtin(command)) or names_agent(text, agents)


def goes_beyond(text: str, agents: Mapping[str, Agent], reference: int) -> bool:
    """Whether a reply asks for something new, or names another task than that of this number."""
    command = _read(text, agents)
    if command is None or not _is_builtin(command):
        return names_agent(text, agents)
    target = command.target
    return target is not None and target.reference != reference


def command_of(text: str, agents: Mapping[str, Agent]) -> str | None:
    """The command that a text is, if it is one."""
    command = _read(text, agents)
    return command.name if command is not None and _is_builtin(command) else None


def _read(text: str, agents: Mapping[str, Agent]) -> Command | None:
    return read_command(text, agents.values()) if text.strip() else None


def _is_builtin(command: Command) -> bool:
    return command.name is not None and not command.is_agent


def _is_whole(command: Command | None) -> bool:
    """A command that says all there is to say: it names its task, or needs none."""
    if command is None or not _is_builtin(command):
        return False
    return command.target is not None or (
        command.name in _STANDS_ALONE and not command.rest.strip()
    )
