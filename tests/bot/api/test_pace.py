"""How often a token may come."""

from tests.bot.api.conftest import Program, Site, described, opening_of, served


async def test_a_token_that_comes_too_often_is_told_when_to_come_again(
    site: Site, asker: Program, boss: Program
) -> None:
    async with served(opening_of(site.house, api_per_minute=3)) as http:
        wild = Program(http, await described(http), asker.token)
        other = Program(http, await described(http), boss.token)
        said = [await wild.ask("letter hello", key="k") for _ in range(4)]
        others = await other.get("/tasks/1001")

    *taken, refused = said
    assert [each.status for each in taken] == [202, 202, 202]
    assert (refused.status, refused.data["code"]) == (429, "too_often")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "3 requests a minute" in refused.data["detail"]
    assert others.status == 200
