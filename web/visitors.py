"""Who is at a page in a browser: what of it the cookies say, and who opened what a moment ago."""

import hmac
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from urllib.parse import urlsplit
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from core import base64url
from core.house import House

SIGNED_IN = timedelta(hours=8)
"""For how long a browser is known to be somebody's who typed a code in it."""

_FORMS, _WHO = "miyabi_forms", "miyabi_who"
_MAC = 16  # bytes: 128 bits are not guessed
_SIGN = b"miyabi: who is at a page"
_NONCE = b"miyabi: forms of a page"
_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser. `secret` makes its forms its own; `person`: who typed a code in it."""

    secret: str
    person: UUID | None
    known: bool
    _who: str

    def nonce(self, house: House, page: UUID) -> str:
        """What a form of a page has to bring along: nobody else's page can know it."""
        told = f"{self.secret} {self._who} {page}".encode()
        return hmac.digest(house.key_of(_NONCE), told, sha256).hex()

    def sent_by_us(self, request: Request, house: House, page: UUID, nonce: str) -> bool:
        """Whether a form comes of our own page in this browser."""
        ours = hmac.compare_digest(nonce.encode(), self.nonce(house, page).encode())
        site = request.headers.get("sec-fetch-site", "same-origin")
        origin = request.headers.get("origin", _origin(house.public_url))
        return self.known and ours and site == "same-origin" and origin == _origin(house.public_url)


def visitor(request: Request, house: House) -> Visitor:
    """Who is there, as far as the cookies tell."""
    secret, who = request.cookies.get(_FORMS, ""), request.cookies.get(_WHO, "")
    return Visitor(secret or secrets.token_hex(16), _person(house, who), bool(secret), who)


def remember(response: Response, request: Request, house: House, them: Visitor, path: str) -> None:
    """Have the browser bring its secret along from now on."""
    if not them.known:
        _set(response, house, path, _FORMS, them.secret, None)


def sign_in(response: Response, house: House, person: UUID, path: str) -> None:
    """Have the browser say whose it is."""
    ends = int(time.time() + SIGNED_IN.total_seconds())
    said = person.bytes + ends.to_bytes(8)
    _set(response, house, path, _WHO, base64url.spell(said + _mac(house, said)), SIGNED_IN)


def _set(
    response: Response, house: House, path: str, name: str, value: str, lasts: timedelta | None
) -> None:
    # Lax: a letter's link is followed from another site, and has to find out who is there.
    response.set_cookie(
        name,
        value,
        max_age=int(lasts.total_seconds()) if lasts else None,
        path=path,
        secure=(house.public_url or "").startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def _person(house: House, value: str) -> UUID | None:
    whole = base64url.read(value)
    if whole is None:
        return None
    said, mac = whole[:24], whole[24:]
    if not hmac.compare_digest(mac, _mac(house, said)) or len(said) != 24:
        return None
    return UUID(bytes=said[:16]) if int.from_bytes(said[16:]) > time.time() else None


def _mac(house: House, said: bytes) -> bytes:
    return hmac.digest(house.key_of(_SIGN), said, sha256)[:_MAC]


def _origin(address: str | None) -> str:
    parts = urlsplit(address or "")
    return f"{parts.scheme}://{parts.netloc}".lower()


class Recent:
    """Who has opened what a moment ago, as far as this process knows: `same` seconds long, the same
    thing asked for from the same place by the same program was opened once."""

    def __init__(self, same: float) -> None:
        self._same = same
        self._of: dict[UUID, dict[tuple[str | None, str | None], float]] = {}

    def of(self, subject: UUID) -> dict[tuple[str | None, str | None], float]:
        """From where, by which program, and when it was opened within that time."""
        since = time.monotonic() - self._same
        found = {who: at for who, at in self._of.pop(subject, {}).items() if at > since}
        while len(self._of) >= _PAGES:
            del self._of[next(iter(self._of))]
        self._of[subject] = found
        return found
