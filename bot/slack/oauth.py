"""Installing the app by OAuth: a workspace that is new becomes an organisation of its own."""

import hashlib
import logging
import re
import secrets
from contextvars import ContextVar
from logging import Logger
from typing import Any

import structlog
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from audit.event import Actor
from bot.slack.api import Api, ask
from bot.slack.installs import Install, Installs
from core import organisations, people
from core.company import Company
from core.db import execute
from core.errors import MiyabiError
from core.inbound import Sender
from core.platform import Opening
from core.unit import Unit, unit
from core.words import as_language

log = structlog.get_logger()

STATE_SECONDS = 600
FIRST_ROLES = frozenset({"admin", "requester", "approver"})
"""What whoever installs the app may do; they add the others."""


CAME_FROM: ContextVar[tuple[str | None, str | None]] = ContextVar("CAME_FROM", default=(None, None))
"""Address and user agent of whoever installs. Their request does not get through Bolt's flow."""


class States(AsyncOAuthStateStore):
    """One-time states of installations under way; the table holds only their hashes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @property
    def logger(self) -> Logger:
        return logging.getLogger(__name__)

    async def async_issue(self, *args: Any, **kwargs: Any) -> str:
        """A new state, good for ten minutes."""
        state = secrets.token_urlsafe(32)
        async with self._engine.begin() as connection:
            # across organisations: none is known before the installation is done
            await execute(connection, "delete from oauth_states where expires_at < now()", {})
            await execute(
                connection,
                "insert into oauth_states (state_sha256, expires_at)"
                " values (:state, now() + make_interval(secs => :seconds))",
                {"state": _digest(state), "seconds": STATE_SECONDS},
            )
        return state

    async def async_consume(self, state: str) -> bool:
        """Whether the state was issued here and not used yet; it never is again."""
        async with self._engine.begin() as connection:
            # across organisations: none is known before the installation is done
            used = await execute(
                connection,
                "delete from oauth_states where state_sha256 = :state and expires_at > now()",
                {"state": _digest(state)},
            )
        return used == 1


def _digest(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()


class Store(AsyncInstallationStore):
    """Where slack_sdk's flow puts an installation; reading is `Installs`' own affair."""

    def __init__(self, opening: Opening, installs: Installs, api: Api) -> None:
        self._opening = opening
        self._installs = installs
        self._api = api

    @property
    def logger(self) -> Logger:
        return logging.getLogger(__name__)

    async def async_save(self, installation: Installation) -> None:
        """Keep the token. A workspace seen before keeps its organisation and its people."""
        team = installation.team_id
        if team is None or installation.bot_token is None:
            raise ValueError("an installation for a whole enterprise is not supported")
        install = Install(
            team,
            installation.bot_token,
            installation.bot_user_id or "",
            installation.bot_id or "",
        )
        profile = await self._profile(install, installation.user_id)
        async with unit(self._opening.house) as work:
            # Two callbacks of one workspace at once must not make two organisations.
            await execute(
                work.connection,
                "select pg_advisory_xact_lock(hashtextextended(:team, 0))",
                {"team": f"slack:{team}"},
            )
            organisation_id = await self._installs.organisation_of(work.connection, team)
            account = Sender("slack", team, installation.user_id)
            actor = await _actor(work.connection, account)
            if organisation_id is None:
                company = Company(installation.team_name or team)
                organisation = await _found(work, company, account, profile, actor)
                organisation_id = organisation.id
            name = installation.team_name or ""
            await self._installs.save(work, organisation_id, team, name, install, actor)
        log.info("slack.installed", team=team, organisation=str(organisation_id))

    async def _profile(self, install: Install, user: str) -> dict[str, Any]:
        """Who installs, as Slack knows them; what can't be had is left out."""
        client = self._api.client(install.token)
        try:
            known = await ask(client.users_info(user=user, include_locale=True))
            team = await ask(client.auth_test())
        except MiyabiError as error:
            log.warning("slack.no_profile", team=install.team, why=str(error))
            return {}
        domain = re.match(r"https?://([a-z0-9-]+)\.", team.get("url", ""))
        return {**known["user"], "domain": domain[1] if domain else ""}

    async def async_save_bot(self, bot: Bot) -> None:
        """Nothing: `async_save` keeps all there is."""


async def _actor(connection: AsyncConnection, account: Sender) -> Actor:
    """Who installs, as the log has it."""
    person = await people.who(connection, account)
    ip, user_agent = CAME_FROM.get()
    return Actor(
        person.id if person else None, people.spell(account), "slack", ip=ip, user_agent=user_agent
    )


async def _found(
    work: Unit, company: Company, account: Sender, profile: dict[str, Any], actor: Actor
) -> organisations.Organisation:
    """A new organisation with its first person."""
    slug = await _free_slug(work.connection, profile.get("domain", ""), account.workspace)
    organisation = await organisations.add(work, slug, company)
    person = await people.add(
        work,
        organisation.id,
        _handle(profile.get("name", "")) or account.account.lower(),
        profile.get("real_name") or profile.get("name") or account.account,
        FIRST_ROLES,
        language=as_language(profile.get("locale")),
        time_zone=profile.get("tz") or None,
        actor=actor,
    )
    await people.link(work, person, account, actor=actor)
    return organisation


async def _free_slug(connection: AsyncConnection, domain: str, team: str) -> str:
    if domain and await organisations.by_slug(connection, domain) is None:
        return domain
    return f"slack-{team.lower()}"


def _handle(name: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "", name.lower())


def flow(opening: Opening, installs: Installs, api: Api) -> AsyncOAuthFlow | None:
    """slack_bolt's way through OAuth, or None where the settings name no client."""
    slack = opening.settings.slack
    if slack.client_id is None or slack.client_secret is None:
        return None
    public = opening.settings.public_url
    return AsyncOAuthFlow(
        client=api.visitor(),
        settings=AsyncOAuthSettings(
            client_id=slack.client_id,
            client_secret=slack.client_secret.get_secret_value(),
            scopes=slack.scopes,
            user_scopes="",
            redirect_uri=f"{public}/slack/oauth_redirect" if public else None,
            install_path="/slack/install",
            redirect_uri_path="/slack/oauth_redirect",
            installation_store=Store(opening, installs, api),
            state_store=States(opening.house.engine),
            state_expiration_seconds=STATE_SECONDS,
        ),
    )
