"""The words of topics: listing them, and a company's own in place of ours."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import Refused
from core.words import LANGUAGES, Words
from miyabi.commands.frame import (
    AsJson,
    Exit,
    OfOrganisation,
    json_pairs,
    print_json,
    print_rows,
    run,
    say,
)
from miyabi.commands.notify_preview import Fact, InLanguage, read_language

if TYPE_CHECKING:
    from core.settings import Settings

app = typer.Typer(help="Words of notices: a company's own in place of ours.", no_args_is_help=True)

Topic = Annotated[str, typer.Argument(metavar="TOPIC", help="As alert.disk, or a family: alert.")]

_KEPT = Words(
    ja="保存しました。{channels} のすべてで表示を確かめました。数秒後から使われます。",
    en="Kept. It was tried on {channels}; it is used within seconds.",
    zh="已保存，并在 {channels} 上确认了显示。数秒内生效。",
)
_SAME = Words(ja="変更はありません。", en="Nothing has changed.", zh="没有变化。")
_OURS_AGAIN = Words(ja="付属の文面に戻しました。", en="Ours is used again.", zh="已恢复自带文案。")
_NONE_OWN = Words(
    ja="自社の文面はありません。",
    en="There are no words of the company's own.",
    zh="没有自定义文案。",
)
_NO_WORDS = Words(
    ja="「{topic}」の文面はありません。内容をそのまま表示します。",
    en="There are no words for “{topic}”; its facts are shown as they are.",
    zh="“{topic}”没有文案，将直接显示原始内容。",
)
_WRONG_TOPIC = Words(
    ja="トピックは英小文字・数字・「-_.」で書いてください: {topic}",
    en="A topic is small letters, digits and “-_.”: {topic}",
    zh="主题只能用小写字母、数字和“-_.”：{topic}",
)


@app.command("list")
def list_templates(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """List the topics that have words, and in which languages the company has its own."""

    async def command(settings: "Settings") -> int:
        from miyabi.session import session
        from notifier.hub.template_store import every
        from notifier.hub.templates import shipped

        async with session(settings) as opened, opened.house.engine.connect() as connection:
            company = await opened.organisation(organisation)
            kept = await every(connection, company.id)
        rows = [
            {
                "topic": topic,
                "ours": topic in shipped(),
                "own": [each.language for each in kept if each.topic == topic],
            }
            for topic in sorted({*shipped(), *(each.topic for each in kept)})
        ]
        if as_json:
            print_json({"templates": rows})
        else:
            print_rows([{**row, "ours": "✓" if row["ours"] else ""} for row in rows])
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("show")
def show_template(
    topic: Topic, in_language: InLanguage = None, organisation: OfOrganisation = None
) -> None:
    """Print the words in force, as the file that they are: what to begin with for one's own."""

    async def command(settings: "Settings") -> int:
        from miyabi.session import session
        from notifier.hub.template_store import own_of
        from notifier.hub.templates import family, source_of

        spoken = read_language(in_language)
        async with session(settings) as opened, opened.house.engine.connect() as connection:
            company = await opened.organisation(organisation)
            own = await own_of(connection, company.id)
        for name in family(topic):
            source = own.get((name, spoken)) or source_of(name, spoken)
            if source is not None:
                say(source.rstrip())
                return Exit.DONE
        raise Refused(_NO_WORDS.fill(topic=topic))

    run(command)


@app.command("set")
def set_template(
    topic: Topic,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML; docs/notifications.md.")],
    in_language: InLanguage = None,
    fact: Fact = None,
    organisation: OfOrganisation = None,
) -> None:
    """Put the company's own words for a topic in place of ours, in one language. They are tried
    with sample facts on every channel first; what has an error is refused with its place."""

    async def command(settings: "Settings") -> int:
        from datetime import UTC, datetime

        from core.unit import unit
        from miyabi.previews import ways
        from miyabi.routes_file import read_text
        from miyabi.session import session
        from notifier.hub import template_store
        from notifier.hub.trying import is_topic, sample, sample_of, try_on_all

        spoken, source, known = read_language(in_language), read_text(file), ways()
        if not is_topic(topic):
            raise Refused(_WRONG_TOPIC.fill(topic=topic))
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with unit(opened.house) as work:
                facts = await sample_of(work.connection, company.id, topic, json_pairs(fact))
                told = sample(company.id, topic, facts, datetime.now(UTC))
                try_on_all(source, told, spoken, known)
                changed = await template_store.put(work, company.id, topic, spoken, source)
        say(_KEPT.fill(channels=", ".join(known)) if changed else _SAME)
        return Exit.DONE

    run(command)


@app.command("remove")
def remove_template(
    topic: Topic, in_language: InLanguage = None, organisation: OfOrganisation = None
) -> None:
    """Use the words that came with Miyabi again; in all languages where none is named."""

    async def command(settings: "Settings") -> int:
        from core.unit import unit
        from miyabi.session import session
        from notifier.hub.template_store import remove

        languages = LANGUAGES if in_language is None else (read_language(in_language),)
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with unit(opened.house) as work:
                gone = [await remove(work, company.id, topic, each) for each in languages]
        say(_OURS_AGAIN if any(gone) else _NONE_OWN)
        return Exit.DONE

    run(command)
