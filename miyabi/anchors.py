"""The anchors of the settings, and what each worker does for them.

Each anchor has a loop and time limits of its own: one that is away, hangs or is broken holds up
neither the others nor the tree nor any work.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from audit.anchors import Anchor, FileAnchor, Parcel
from audit.carrying import EVERY, Failure, carry_to, lacking
from core.anchor_settings import AnchorSettings
from core.db import is_outage
from core.errors import Permanent
from core.words import Words

if TYPE_CHECKING:  # each loads a library that only those need who have it set up
    from audit.bucket import BucketAnchor
    from audit.mailbox import Letter

log = structlog.get_logger()

LOOK_EVERY = 2.0
"""Seconds between two looks at what an anchor lacks."""

TELL_EACH = 10
"""An anchor that is away is told of at the first try, and then at each so manieth."""

_NO_CERTIFICATE = Words(
    ja="タイムスタンプ局の証明書（{path}）を読めません: {why}",
    en="The certificate of the time stamp authority ({path}) can't be read: {why}",
    zh="无法读取时间戳机构的证书（{path}）: {why}",
)
_SUBJECT = Words(
    ja="監査ログのチェックポイント {size}件（{origin}）",
    en="Audit log checkpoint of {size} events ({origin})",
    zh="审计日志检查点 {size}条（{origin}）",
)
_BODY = Words(
    ja="このメールを保存してください。監査ログは後から、このチェックポイントの続きであることを"
    "示せなければなりません。検証: miyabi audit verify --anchors このメール.eml --key 公開鍵",
    en="Please keep this mail. Whatever becomes of the audit log later, it must be able to show "
    "that it continues this checkpoint: miyabi audit verify --anchors THIS.eml --key VKEY",
    zh="请保存此邮件。审计日志今后必须能够证明它是此检查点的延续: "
    "miyabi audit verify --anchors 此邮件.eml --key 公钥",
)


@dataclass(frozen=True, slots=True)
class Anchors:
    """All that are set up, and how often they are given something."""

    all: Sequence[Anchor] = ()
    every: timedelta = EVERY

    @property
    def names(self) -> Sequence[str]:
        return [each.name for each in self.all]

    @property
    def stamps(self) -> str | None:
        """The one whose time stamps the others carry along."""
        return next((each.name for each in self.all if each.stamps), None)

    def pace(self, name: str) -> timedelta:
        """How long after its last receipt an anchor is given the next."""
        each = next((each.each for each in self.all if each.name == name), False)
        return timedelta(0) if each else self.every


def anchors(settings: AnchorSettings) -> Anchors:
    """Those of the settings. Raises Permanent where one can't be used."""
    found = (_file(settings), _timestamps(settings), bucket(settings), _mail(settings))
    every = timedelta(minutes=settings.every_minutes)
    return Anchors([each for each in found if each is not None], every)


def _file(settings: AnchorSettings) -> Anchor | None:
    return FileAnchor(settings.file) if settings.file is not None else None


def _timestamps(settings: AnchorSettings) -> Anchor | None:
    if settings.tsa_url is None or settings.tsa_certificate is None:
        return None
    from audit.timestamps import Timestamps, read_certificates

    try:
        certificates = read_certificates(settings.tsa_certificate)
    except (OSError, ValueError) as error:
        why = str(error) or type(error).__name__
        raise Permanent(_NO_CERTIFICATE.fill(path=settings.tsa_certificate, why=why)) from error
    return Timestamps(settings.tsa_url, certificates)


def bucket(settings: AnchorSettings) -> "BucketAnchor | None":
    """The bucket of the settings; None where none is set."""
    if settings.s3_bucket is None:
        return None
    from audit.bucket import BucketAnchor, Place

    access, secret = settings.s3_access_key, settings.s3_secret_key
    place = Place(
        settings.s3_bucket,
        settings.s3_prefix,
        settings.s3_region,
        settings.s3_endpoint,
        access.get_secret_value() if access is not None else None,
        secret.get_secret_value() if secret is not None else None,
    )
    return BucketAnchor(place, settings.s3_years)


def _mail(settings: AnchorSettings) -> Anchor | None:
    if settings.smtp_host is None:
        return None
    from audit.mailbox import Mail, MailAnchor

    password = settings.smtp_password
    mail = Mail(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.mail_from,
        settings.mail_to,
        settings.smtp_user,
        password.get_secret_value() if password is not None else None,
    )
    return MailAnchor(mail, letter)


def letter(parcel: Parcel) -> "Letter":
    """What an auditor reads, who may know any of the languages."""
    from audit.mailbox import Letter

    subject = _SUBJECT.fill(size=parcel.newest.size, origin=parcel.origin)
    body = "\n\n".join([_BODY.ja, _BODY.en, _BODY.zh, parcel.newest.note])
    return Letter(f"{subject.ja} / {subject.en}", body)


async def keep_anchors(engine: AsyncEngine, anchors: Anchors) -> None:
    """Carry to all of them until cancelled."""
    async with asyncio.TaskGroup() as group:
        for each in anchors.all:
            group.create_task(_carry_forever(engine, each, anchors))


async def _carry_forever(engine: AsyncEngine, anchor: Anchor, anchors: Anchors) -> None:
    await asyncio.sleep(random.uniform(0, LOOK_EVERY))  # noqa: S311  # not a secret
    while True:
        try:
            for organisation_id in await lacking(engine, anchor):
                done = await carry_to(
                    engine, anchor, organisation_id, every=anchors.every, stamps=anchors.stamps
                )
                if isinstance(done, Failure):
                    _tell(done)
        except (SQLAlchemyError, OSError) as error:
            what = "away" if is_outage(error) else "stuck"
            log.error(f"audit.anchoring_{what}", anchor=anchor.name, error=repr(error))
        except Exception:  # whatever a library raises, the next try may do without it
            log.exception("audit.anchoring_crashed", anchor=anchor.name)
        await asyncio.sleep(LOOK_EVERY)


def _tell(failure: Failure) -> None:
    if failure.tries % TELL_EACH == 1:
        log.error(
            "audit.anchor_away",
            anchor=failure.anchor,
            organisation=str(failure.organisation_id),
            tries=failure.tries,
            error=failure.why,
            see="miyabi audit anchors",
        )
