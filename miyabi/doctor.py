"""Looks at everything Miyabi stands on, and says what to do where something is not well."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from core import organisations, workers
from core.errors import MiyabiError
from core.ledger import Ledger
from core.platform import Finding
from core.secret_key import secret_key
from core.settings import Settings
from core.typeset import typeset
from core.words import Words
from miyabi import (
    anchor_check,
    archive_check,
    completeness_check,
    hub_check,
    personal_check,
    routes_file,
    tree_check,
)
from miyabi.build import Built, open_house
from miyabi.embedded import Services, embedded
from miyabi.plugins import all_platforms, find_connector
from miyabi.price_lists import open_source, settings_options
from miyabi.session import newest_version, version_of
from miyabi.unknowns import outcomes

_OLDEST_REDIS = 7
_PATIENCE = 5.0  # seconds each server has to answer

KEY = Words(ja="秘密鍵", en="Secret key", zh="密钥")
DATABASE = Words(ja="データベース: {what}", en="Database: {what}", zh="数据库: {what}")
TABLES = Words(ja="テーブル: {version}", en="Tables: {version}", zh="数据表: {version}")
RIGHTS = Words(ja="監査ログは追記のみ", en="The audit log is append-only", zh="审计日志只能追加")
REDIS = Words(ja="Redis: {what}", en="Redis: {what}", zh="Redis: {what}")
FONT = Words(ja="フォント: {name}", en="Font: {name}", zh="字体: {name}")
TYPESET = Words(ja="PDF/A-3bの作成", en="Laying out a PDF/A-3b", zh="制作PDF/A-3b")
PRICES = Words(
    ja="価格表（{slug}）: {what}", en="Price list ({slug}): {what}", zh="价格表（{slug}）: {what}"
)
LEDGER = Words(
    ja="台帳（{slug}）: {what}", en="Ledger ({slug}): {what}", zh="台账（{slug}）: {what}"
)
ROWS = Words(
    ja="{items}品目、{customers}顧客",
    en="{items} items, {customers} customers",
    zh="{items}个品目，{customers}个客户",
)
NOBODY = Words(ja="組織がありません", en="There is no organisation", zh="没有组织")

WORKERS = Words(
    ja="ワーカー: 稼働中{working}、キュー応答なし{deaf}、応答なし{gone}",
    en="Workers: {working} working, {deaf} deaf, {gone} gone without a word",
    zh="工作进程: 工作中{working}，听不到队列{deaf}，失去联系{gone}",
)
WORKERS_NONE = Words(
    ja="ワーカー: 起動していません（「miyabi up」で起動）",
    en="Workers: none runs (“miyabi up” starts one)",
    zh="工作进程: 未启动（用“miyabi up”启动）",
)

FIX_ADDRESS = Words(
    ja="{name} とサーバーの起動を確認してください。",
    en="Check {name}, and that the server runs.",
    zh="请确认 {name} 以及服务器是否已启动。",
)
FIX_UPGRADE = Words(
    ja="「miyabi db upgrade」を実行してください。",
    en="Run “miyabi db upgrade”.",
    zh="请运行“miyabi db upgrade”。",
)
FIX_RIGHTS = Words(
    ja="監査ログの権限またはトリガーが変更されています。「miyabi audit verify」で確認し、"
    "変更した人に確認してください。",
    en="Rights or triggers of the audit log were changed. Run “miyabi audit verify” and ask who "
    "changed them.",
    zh="审计日志的权限或触发器被更改。请运行“miyabi audit verify”并向更改者确认。",
)
FIX_REDIS = Words(
    ja="Redis 7以上（またはValkey）に更新してください。",
    en="Upgrade to Redis 7 or newer, or Valkey.",
    zh="请升级到 Redis 7 或更高版本（或 Valkey）。",
)
FIX_WORKERS = Words(
    ja="「miyabi workers」で確認してください。応答のないワーカーは再起動してください。",
    en="See “miyabi workers”, and start those again that do not answer.",
    zh="请用“miyabi workers”确认，并重新启动没有响应的进程。",
)
FIX_INSTALL = Words(
    ja="「make install」で依存パッケージを入れ直してください。",
    en="Install the packages again with “make install”.",
    zh="请用“make install”重新安装依赖包。",
)
FIX_ORGANISATION = Words(
    ja="「miyabi org add {slug} 会社名」で追加してください。",
    en="Add one with “miyabi org add {slug} NAME”.",
    zh="请用“miyabi org add {slug} 公司名”添加。",
)


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Every finding, in the order in which one thing stands on another."""
    yield _secret_key(settings)
    for finding in _fonts():
        yield finding
    yield await _typeset()
    try:
        async with embedded(settings) as services:
            async for finding in _services(settings, services):
                yield finding
    except MiyabiError as error:  # an embedded server does not start, and says why
        yield Finding(False, DATABASE.fill(what=error.words))


async def _services(settings: Settings, services: Services) -> AsyncIterator[Finding]:
    tables = await _tables(settings, services)
    for finding in tables:
        yield finding
    async with open_house(settings, services, pool_size=2) as built:
        yield await _redis(built)
        if all(finding.well for finding in tables):
            yield await _rights(built)
            for finding in await tree_check.look(settings, built):
                yield finding
            for finding in await personal_check.look(built):
                yield finding
            for finding in await anchor_check.look(settings, built):
                yield finding
            for finding in (
                *await completeness_check.look(built),
                *await archive_check.look(built),
                *await routes_file.look(settings, built.house),
                *await hub_check.look(built.house),
            ):
                yield finding
            yield await _workers(built)
            yield await outcomes(built.house)
            async for finding in _price_lists(settings, built):
                yield finding
            for platform in all_platforms().values():
                for finding in await platform.check(built.opening):
                    yield finding
        else:
            yield await _settings_prices(settings)


def _secret_key(settings: Settings) -> Finding:
    try:
        secret_key(settings)
    except MiyabiError as error:
        return Finding(False, KEY, error.words)
    return Finding(True, KEY)


def _fonts() -> list[Finding]:
    from noto_cjk_sans_jp_bold import FONT_PATH as BOLD
    from noto_cjk_sans_jp_regular import FONT_PATH as REGULAR

    paths = [Path(str(REGULAR)), Path(str(BOLD))]
    return [
        Finding(path.is_file(), FONT.fill(name=path.name), None if path.is_file() else FIX_INSTALL)
        for path in paths
    ]


async def _typeset() -> Finding:
    template = '#set text(font: "Noto Sans CJK JP")\n見積書'.encode()
    try:
        await typeset(template, {}, {}, at=datetime(2026, 1, 1, tzinfo=UTC))
    except MiyabiError as error:
        return Finding(False, TYPESET, error.words)
    return Finding(True, TYPESET)


async def _tables(settings: Settings, services: Services) -> list[Finding]:
    """Whether the database answers, and has the newest tables."""
    try:
        async with asyncio.timeout(_PATIENCE):
            version = await version_of(services.database_url)
            if version is None and settings.database_url is None:
                from core.migrate import upgrade_async

                await upgrade_async(services.owner_url)  # the embedded one's first start
                version = await version_of(services.database_url)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        what = (str(error).splitlines() or [type(error).__name__])[0]
        fix = FIX_ADDRESS.fill(name="DATABASE_URL")
        return [Finding(False, DATABASE.fill(what=what), fix)]
    kind = "embedded PostgreSQL" if settings.database_url is None else "PostgreSQL"
    newest = version == newest_version()
    return [
        Finding(True, DATABASE.fill(what=kind)),
        Finding(newest, TABLES.fill(version=version or "-"), None if newest else FIX_UPGRADE),
    ]


async def _rights(built: Built) -> Finding:
    """No right of the application's role on past events, and the triggers that refuse it too."""
    async with built.house.engine.connect() as connection:
        well = not await _may_change(connection) and await _triggers(connection) == 2
    return Finding(well, RIGHTS, None if well else FIX_RIGHTS)


async def _may_change(connection: AsyncConnection) -> bool:
    return bool(
        await connection.scalar(
            text(
                "select bool_or(has_table_privilege(current_user, 'audit_events', right_))"
                " from unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) as right_"
            )
        )
    )


async def _triggers(connection: AsyncConnection) -> int:
    """How many of the two triggers that keep events as they are stand and are enabled."""
    count = await connection.scalar(
        text(
            "select count(*) from pg_trigger where tgrelid = 'audit_events'::regclass"
            " and tgname in ('append_only', 'append_only_whole') and tgenabled in ('O', 'A')"
        )
    )
    return int(count or 0)


async def _redis(built: Built) -> Finding:
    try:
        async with asyncio.timeout(_PATIENCE):
            info = await built.redis.info("server")
    except (RedisError, OSError, TimeoutError) as error:
        fix = FIX_ADDRESS.fill(name="REDIS_URL")
        return Finding(False, REDIS.fill(what=str(error) or type(error).__name__), fix)
    version = str(info.get("valkey_version") or info.get("redis_version", "0"))
    name = "Valkey" if "valkey_version" in info else "Redis"
    well = int(version.split(".", maxsplit=1)[0]) >= _OLDEST_REDIS
    return Finding(well, REDIS.fill(what=f"{name} {version}"), None if well else FIX_REDIS)


async def _workers(built: Built) -> Finding:
    """That none runs is no fault: a command brings its own. That one is deaf or was lost is."""
    async with built.house.engine.connect() as connection:
        states = Counter(worker.state for worker in await workers.every(connection))
    if not states["working"] and not states["deaf"] and not states["gone"]:
        return Finding(True, WORKERS_NONE)
    well = not states["deaf"] and (states["working"] > 0 or not states["gone"])
    what = WORKERS.fill(working=states["working"], deaf=states["deaf"], gone=states["gone"])
    return Finding(well, what, None if well else FIX_WORKERS)


async def _price_lists(settings: Settings, built: Built) -> AsyncIterator[Finding]:
    """Each company's, as its quotations would read it."""
    async with built.house.engine.connect() as connection:
        companies = await organisations.every(connection)
    if not companies:
        # On the embedded database the first request makes the sample company.
        well = settings.database_url is None
        fix = None if well else FIX_ORGANISATION.fill(slug=settings.organisation)
        yield await _settings_prices(settings) if well else Finding(False, NOBODY, fix)
    for company in companies:
        try:
            catalogue = await built.house.catalogue(company.id)
        except MiyabiError as error:
            yield Finding(False, PRICES.fill(slug=company.slug, what="✕"), error.words)
        else:
            rows = ROWS.fill(items=len(catalogue.items), customers=len(catalogue.customers))
            what = catalogue.note or rows
            yield Finding(catalogue.note is None, PRICES.fill(slug=company.slug, what=what))
        ledger = await _ledger(built, company)
        if ledger is not None:
            yield ledger


async def _ledger(built: Built, company: organisations.Organisation) -> Finding | None:
    """Whether the company's ledger can be read and has its columns; None where it keeps none."""
    try:
        ledger = await built.house.resources[Ledger](built.house, company.id)
        assert isinstance(ledger, Ledger)  # noqa: S101  # wiring, not input
        if not ledger.name:
            return None
        await ledger.find("miyabi doctor")
    except MiyabiError as error:
        return Finding(False, LEDGER.fill(slug=company.slug, what="✕"), error.words)
    return Finding(True, LEDGER.fill(slug=company.slug, what=ledger.name))


async def _settings_prices(settings: Settings) -> Finding:
    slug = settings.organisation
    try:
        catalogue = await open_source(settings_options(settings), find_connector).read()
    except MiyabiError as error:
        return Finding(False, PRICES.fill(slug=slug, what="✕"), error.words)
    rows = ROWS.fill(items=len(catalogue.items), customers=len(catalogue.customers))
    return Finding(True, PRICES.fill(slug=slug, what=rows))
