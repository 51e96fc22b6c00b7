"""Which channels there are: several companies in one installation, and the settings' own."""

from typing import Any

import pytest

from bot.line import rows
from bot.line.channels import Channels
from core import organisations
from core.company import Company
from core.errors import Permanent, TryLater
from core.sealing import seal
from core.secret_key import secret_key
from core.unit import unit
from tests.bot.line.desk import Desk


async def test_several_companies_channels_are_told_apart_by_their_destination(desk: Desk) -> None:
    other = desk.line.channel("別会社")
    opening = desk.built.opening
    async with unit(desk.built.house) as work:
        company = await organisations.add(work, "betsu", Company("別会社"))
        secrets = {"secret": "s" * 32, "channel_id": "", "token": other.token}
        sealed = seal(secret_key(opening.settings), "line", other.destination, secrets)
        await rows.save(work, company.id, other.destination, "別会社", sealed)

    channels = Channels(opening)
    found = await channels.get(other.destination)
    own = await channels.get(desk.line.home.destination)

    assert (found.organisation_id, found.secret) == (company.id, "s" * 32)
    assert (own.organisation_id, own.secret) == (desk.organisation.id, desk.line.home.secret)
    assert [each.name for each in await channels.every(company.id)] == ["別会社"]
    assert other.token not in repr(found)
    assert "s" * 32 not in repr(found)
    [row] = await desk.rows("select secrets from installations where name = '別会社'")
    assert other.token.encode() not in bytes(row.secrets)
    [row] = await desk.rows("select secrets from installations where name = 'みやび商会'")
    assert row.secrets is None, "its token stays in the settings"

    async with unit(desk.built.house) as work:
        await rows.remove(work, company.id, other.destination)
    with pytest.raises(Permanent):
        await channels.reread(other.destination)
    await channels.close()


async def test_a_webhook_before_line_told_whose_the_settings_channel_is_can_be_verified(
    desk: Desk,
) -> None:
    """LINE may be down when we start; what it signed is from the settings' channel all the same."""
    desk.line.fail_next("getBotInfo", status=500, times=50)
    channels = Channels(desk.built.opening)

    early = await channels.by_destination(desk.line.home.destination)

    assert early is not None
    assert (early.organisation_id, early.secret) == (
        desk.organisation.id,
        desk.line.home.secret,
    )
    desk.line.faults.waiting.clear()
    await channels.warm()
    channels = Channels(desk.built.opening)
    await channels.warm()
    assert await channels.by_destination("U" + "0" * 32) is None
    assert (await channels.get(desk.line.home.destination)).name == "みやび商会"


async def test_a_token_changed_by_another_process_is_taken_at_once(desk: Desk) -> None:
    """As `miyabi line token` does it: the row has it, the settings' secret stays in force."""
    home = desk.line.home
    await desk.say("前")
    token = "t" * 40
    home.tokens[token] = home.tokens.pop(home.token)
    secrets: dict[str, Any] = {"secret": "", "channel_id": "", "token": token}
    settings = desk.built.opening.settings
    async with unit(desk.built.house) as work:
        sealed = seal(secret_key(settings), "line", home.destination, secrets)
        await rows.save(work, desk.organisation.id, home.destination, home.name, sealed)

    await desk.say("後")

    assert [words for _, words in desk.said()] == ["前", "後"]
    assert desk.line.calls_to("pushMessage")[-1].token == token
    assert not desk.line.calls_to("issueStatelessChannelToken")


async def test_without_a_token_that_line_takes_what_is_to_be_said_waits(desk: Desk) -> None:
    home = desk.line.home
    await desk.say("前")
    token, secret = home.tokens.pop(home.token), home.secret
    home.secret = "another"  # none is issued either
    with pytest.raises(TryLater, match="miyabi line token"):
        await desk.say("中")

    home.tokens[home.token], home.secret = token, secret
    await desk.say("後")

    assert [words for _, words in desk.said()] == ["前", "後"]
