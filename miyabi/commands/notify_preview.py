"""What a notice looks like on a channel and in a language, without sending it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import Refused
from core.words import LANGUAGES, Language, Words
from miyabi.commands.frame import (
    AsJson,
    Exit,
    OfOrganisation,
    complain,
    json_pairs,
    language,
    print_json,
    run,
    say,
)

if TYPE_CHECKING:
    from core.settings import Settings

InLanguage = Annotated[
    str | None, typer.Option("--language", metavar="|".join(LANGUAGES), help="Default: yours.")
]
Fact = Annotated[
    list[str] | None,
    typer.Option("--fact", metavar="NAME=VALUE", help="A fact to try it with; JSON or a text."),
]

_NO_LANGUAGE = Words(
    ja="言語は {known} のどれかです: {given}",
    en="A language is one of {known}: {given}",
    zh="语言只能是 {known} 之一：{given}",
)
_NO_CHANNEL = Words(
    ja="「{given}」というチャネルはありません。{known} のどれかを指定してください。",
    en="There is no channel “{given}”. There are {known}.",
    zh="没有“{given}”渠道。可用的有 {known}。",
)
_FELL_BACK = Words(
    ja="テンプレートが使えないため、内容をそのまま表示しています: {why}",
    en="The template could not be used, so the facts are shown as they are: {why}",
    zh="模板无法使用，以下为原始内容：{why}",
)
_JAPANESE = Words(
    ja="この言語の文面がないため、日本語です。",
    en="There are no words in this language, so it is in Japanese.",
    zh="没有该语言的文案，以日语显示。",
)
_PICTURE = Words(ja="画像: {file}", en="Picture: {file}", zh="图片：{file}")
_PAGE = Words(
    ja="ブラウザー（Chromium など）がないため、画像の代わりにページを保存しました: {file}",
    en="There is no browser such as Chromium; here is the page instead of its picture: {file}",
    zh="没有 Chromium 等浏览器，已保存网页代替图片：{file}",
)


def register(app: typer.Typer) -> None:
    """Add the command below `miyabi notify`."""
    app.command("preview")(preview_topic)


def preview_topic(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="As alert.disk.")],
    channel: Annotated[str, typer.Option("--channel", help="slack, line, email, …")] = "console",
    in_language: InLanguage = None,
    fact: Fact = None,
    open_it: Annotated[bool, typer.Option("--open", help="Draw it, and open the picture.")] = False,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FILE.png", help="Draw it into a file.")
    ] = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Show a notice as a channel would, with sample facts and the company's own words; nothing is
    sent."""

    async def command(settings: "Settings") -> int:
        from datetime import UTC, datetime

        from miyabi.previews import ways
        from miyabi.session import session
        from notifier.hub.rendering import render
        from notifier.hub.template_store import own_of
        from notifier.hub.trying import sample, sample_of

        spoken, known = read_language(in_language), ways()
        if channel not in known:
            raise Refused(_NO_CHANNEL.fill(given=channel, known=", ".join(known)))
        async with session(settings) as opened, opened.house.engine.connect() as connection:
            company = await opened.organisation(organisation)
            own = await own_of(connection, company.id)
            facts = await sample_of(connection, company.id, topic, json_pairs(fact))
        told = sample(company.id, topic, facts, datetime.now(UTC))
        rendered = render(told, spoken, company.company.time_zone, own)
        shown = known[channel](told, rendered.message)
        if as_json:
            print_json(
                {
                    "topic": topic,
                    "channel": channel,
                    "language": spoken,
                    "sent": shown.sent,
                    "failed": rendered.failed,
                    "missing": rendered.missing,
                }
            )
        else:
            say(shown.sent)
            if rendered.failed is not None:
                complain(_FELL_BACK.fill(why=rendered.failed))
            if rendered.missing:
                complain(_JAPANESE)
        if open_it or into is not None:
            from miyabi.previews import page_of

            _draw(page_of(shown), into, f"{topic}-{channel}-{spoken}", open_it=open_it)
        return Exit.FAILED if rendered.failed is not None else Exit.DONE

    run(command, as_json=as_json)


def read_language(given: str | None) -> Language:
    """A language by its code. Raises Refused."""
    if given is None:
        return language()
    if given not in LANGUAGES:
        raise Refused(_NO_LANGUAGE.fill(known=", ".join(LANGUAGES), given=given))
    return given


def _draw(page: str, into: Path | None, name: str, *, open_it: bool) -> None:
    import tempfile

    from miyabi.browser import screenshot

    file = into or Path(tempfile.mkdtemp(prefix="miyabi-")) / f"{name}.png"
    if screenshot(page, file):
        complain(_PICTURE.fill(file=file))
    else:
        file = file.with_suffix(".html")
        complain(_PAGE.fill(file=file))
    if open_it:
        typer.launch(str(file))
