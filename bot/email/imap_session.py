"""A session with an IMAP server, for a thread: the raw bytes of mails out of one folder.

imap-tools has the connection, the login and IDLE. What it makes of mails and how it marks them is
left aside: it reads each mail (in which nothing may be believed yet), and expunges what others have
marked. Every method raises Broken where the session is of no more use.
"""

import contextlib
import imaplib
import re
import select
import ssl
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from ipaddress import ip_address
from typing import Any

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError
from imap_tools.utils import encode_folder

from bot.email.boxes import Server

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HEADER_AT_MOST = 64 * 1024  # bytes


class Broken(Exception):
    """The connection is gone, or the server does not do what it has to. Connect once more."""


class Refused(Broken):
    """The server does not let us in; the text is the server's."""


class Denied(Broken):
    """The server would not do what it was asked for; the connection is as good as before."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a mail's bytes are; `whole_size` where they are its header's alone."""

    uid: int
    raw: bytes
    whole_size: int | None = None


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Whatever goes wrong on the way is one thing to whoever asked."""
    try:
        yield
    except (imaplib.IMAP4.error, ImapToolsError, OSError, EOFError, ValueError) as error:
        raise Broken(str(error) or repr(error)) from error


class Session:
    """A session, logged in, with a folder selected. `answers`: seconds in which the server has to
    go on with an answer."""

    def __init__(
        self, server: Server, *, password: str, token: str | None, folder: str, answers: float
    ) -> None:
        with _told():
            self._box = _connected(server, answers)
        try:
            self._log_in(server, password, token)
            with _told():
                self._ask_what_it_can()
                self._select(folder)
        except BaseException:
            self.close()
            raise

    # Coming in

    def _log_in(self, server: Server, password: str, token: str | None) -> None:
        try:
            if token is not None:
                self._box.xoauth2(server.user, token, None)
            elif (server.user + password).isascii():
                self._box.login(server.user, password, None)
            else:
                self._box.login_utf8(server.user, password, None)
        except (imaplib.IMAP4.abort, OSError) as error:
            raise Broken(str(error) or repr(error)) from error
        except (imaplib.IMAP4.error, ImapToolsError) as error:
            raise Refused(str(error)) from error

    def _ask_what_it_can(self) -> None:
        """Once more: many tell it all only to those whom they know (RFC 3501, 6.1.1)."""
        client = self._client
        _, said = client.capability()
        self.can = frozenset((said[-1] or b"").decode("ascii", "replace").upper().split())
        if "ID" in self.can:  # some let nobody in without (RFC 2971)
            with contextlib.suppress(imaplib.IMAP4.error):
                client.xatom("ID", '("name" "Miyabi")')

    def _select(self, folder: str) -> None:
        self._box.folder.set(folder)
        _, said = self._client.response("UIDVALIDITY")
        found = [each for each in said if each and each.isdigit()]
        if not found:
            raise Broken("the server tells no UIDVALIDITY")
        self.uidvalidity = int(found[-1])

    @property
    def _client(self) -> Any:
        return self._box.client

    @property
    def near(self) -> bool:
        """Whether the server is on this machine or in this network."""
        try:
            address = ip_address(self._client.sock.getpeername()[0])
        except (OSError, ValueError):
            return False
        return address.is_loopback or address.is_private

    # Looking

    def new(self, after: int) -> list[int]:
        """What came after that number, in order. A server names its last mail even where it is not
        newer (RFC 3501, 6.4.8: `n:*`)."""
        return [uid for uid in self._search(f"UID {after + 1}:*") if uid > after]

    def last(self) -> int:
        """The number of the last mail; 0 where there is none."""
        return max(self._search("UID *"), default=0)

    def unread_or_since(self, day: date) -> list[int]:
        """What is unread or came on that day or later."""
        return self._search(f"UNDELETED OR UNSEEN SINCE {_written(day)}")

    def left(self, until: int, day: date) -> list[int]:
        """What is unread and came on that day or later, of the mails up to that number."""
        return (
            self._search(f"UID 1:{until} UNDELETED UNSEEN SINCE {_written(day)}") if until else []
        )

    def there(self, until: int) -> list[int]:
        """What is there, of the mails up to that number."""
        return self._search(f"UID 1:{until} UNDELETED") if until else []

    def _search(self, criteria: str) -> list[int]:
        data = self._uid("SEARCH", criteria)
        numbers = {int(each) for line in data if line for each in line.split() if each.isdigit()}
        return sorted(numbers)

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """The sizes of those mails that are still there, as the server says them, in bytes."""
        found = {}
        for attributes, _ in fetched(self._uid("FETCH", numbers(uids), "(UID RFC822.SIZE)")):
            uid, size = _UID.search(attributes), _SIZE.search(attributes)
            if uid and size:
                found[int(uid[1])] = int(size[1])
        return {uid: found[uid] for uid in uids if uid in found}

    def bodies(self, uids: Sequence[int]) -> list[Body]:
        """The bytes of those mails that are still there, without marking them as read."""
        bodies = self._parts(uids, "BODY.PEEK[]")
        return [Body(uid, bodies[uid]) for uid in uids if uid in bodies]

    def headers(self, uid: int, whole_size: int) -> list[Body]:
        """The header of a mail that is not fetched whole, at most 64 KB of it."""
        found = self._parts([uid], f"BODY.PEEK[HEADER]<0.{_HEADER_AT_MOST}>")
        return [Body(uid, found[uid], whole_size)] if uid in found else []

    def _parts(self, uids: Sequence[int], part: str) -> dict[int, bytes]:
        asked = frozenset(uids)
        found = {}
        for attributes, content in fetched(self._uid("FETCH", numbers(uids), f"(UID {part})")):
            uid = _UID.search(attributes)
            if uid and content is not None and int(uid[1]) in asked:
                found[int(uid[1])] = content
        return found

    # Marking

    def mark_seen(self, uids: Sequence[int]) -> None:
        """Mark them as read."""
        if uids:
            self._uid("STORE", numbers(uids), "+FLAGS.SILENT", r"(\Seen)")

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Move them. Where the server can't (RFC 6851): copy and delete them, and expunge nothing
        that others have deleted."""
        if not uids:
            return
        into = encode_folder(folder)
        verb = "MOVE" if "MOVE" in self.can else "COPY"
        try:
            self._uid(verb, numbers(uids), into)
        except Denied as error:
            if "TRYCREATE" not in str(error).upper():
                raise
            with _told():
                self._box.folder.create(folder)
            self._uid(verb, numbers(uids), into)
        if verb == "COPY":
            self._uid("STORE", numbers(uids), "+FLAGS.SILENT", r"(\Seen \Deleted)")
            if "UIDPLUS" in self.can:
                self._uid("EXPUNGE", numbers(uids))

    def _uid(self, command: str, *arguments: Any) -> list[Any]:
        with _told():
            status, data = self._client.uid(command, *arguments)
        if status != "OK":
            raise Denied(f"{command}: {_text(data)}")
        return list(data)

    # Waiting

    def wait(self, seconds: float, wake: int) -> bool:
        """Wait until something happens in the folder, so long, or until `wake` can be read from;
        whether something may have come. Where the server has no IDLE (RFC 2177), it is asked."""
        with _told():
            if self._came():  # while it was asked for something else
                return True
            if "IDLE" in self.can and self._idles():
                self._until_told(seconds, wake)
                self._box.idle.stop()  # type: ignore[no-untyped-call]
            else:
                select.select([wake], [], [], seconds)
                self._client.noop()
            return self._came()

    def _idles(self) -> bool:
        """Begin; what else the server has to say at that moment is heard, too."""
        client = self._client
        tag = self._box.idle._idle_tag = client._command("IDLE")
        while client._get_response() is not None:
            if client.tagged_commands[tag]:
                del client.tagged_commands[tag]
                self.can -= {"IDLE"}  # it has said that it could
                return False
        return True

    def _until_told(self, seconds: float, wake: int) -> None:
        if not self._lies_here():
            poll = select.poll()
            poll.register(self._client.sock.fileno(), select.POLLIN)
            poll.register(wake, select.POLLIN)
            poll.poll(seconds * 1000)

    def _lies_here(self) -> bool:
        """Whether something was read with what came before: the socket would not tell."""
        sock = self._client.sock
        waits = sock.gettimeout()
        sock.settimeout(0)
        try:
            return bool(self._client.file.peek(1))
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        finally:
            sock.settimeout(waits)

    def _came(self) -> bool:
        """Whether there are more mails than before; what else was said meanwhile is forgotten."""
        said = self._client.untagged_responses
        if "BYE" in said:
            raise Broken(_text(said["BYE"]))
        came = "EXISTS" in said or "RECENT" in said
        said.clear()
        return came

    # Leaving

    def abort(self) -> None:
        """Let whoever waits for the server in another thread go on, in vain."""
        with contextlib.suppress(OSError):
            self._client.sock.shutdown(2)

    def close(self) -> None:
        """Say goodbye, where there is still somebody to say it to."""
        with contextlib.suppress(Exception):
            self._client.sock.settimeout(2)
            self._box.logout()
        with contextlib.suppress(OSError):
            self._client.shutdown()


def _connected(server: Server, answers: float) -> BaseMailBox:
    if server.security == "none":
        return MailBoxUnencrypted(server.host, server.port, answers)
    context = ssl.create_default_context()
    if server.security == "starttls":
        return MailBoxStartTls(server.host, server.port, answers, context)
    return MailBox(server.host, server.port, answers, ssl_context=context)


# What a server says of mails (RFC 3501, 7.4.2). imaplib gives a line as bytes, and one that ends in
# a literal as a pair; of a mail there may be several, and what others do meanwhile in between.

_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)", re.IGNORECASE)
_BEGINS = re.compile(rb"\d+ \(")
_QUOTED = re.compile(rb'BODY\[[A-Z]*\](?:<\d+>)? (?:"((?:[^"\\]|\\.)*)"|(NIL))', re.IGNORECASE)


def fetched(data: Iterable[Any]) -> Iterator[tuple[bytes, bytes | None]]:
    """Of each mail its attributes without the content, and the content where there is one."""
    attributes, content = b"", None
    for each in data:
        line, literal = each if isinstance(each, tuple) else (each or b"", None)
        if _BEGINS.match(line):
            if attributes:
                yield _whole(attributes, content)
            attributes, content = b"", None
        attributes += line
        content = literal if literal is not None else content
    if attributes:
        yield _whole(attributes, content)


def _whole(attributes: bytes, content: bytes | None) -> tuple[bytes, bytes | None]:
    """Short contents may come in quotes, and empty ones as NIL."""
    quoted = _QUOTED.search(attributes) if content is None else None
    if quoted is None:
        return attributes, content
    content = b"" if quoted[2] else re.sub(rb"\\(.)", rb"\1", quoted[1])
    return attributes[: quoted.start()] + attributes[quoted.end() :], content


def numbers(uids: Sequence[int]) -> str:
    """A set of numbers, in order, as short as it can be said: 1,3:5."""
    runs: list[list[int]] = []
    for uid in uids:
        if runs and uid == runs[-1][1] + 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in runs)


def _written(day: date) -> str:
    return f"{day.day:02}-{_MONTHS[day.month - 1]}-{day.year:04}"


def _text(data: Any) -> str:
    lines = data if isinstance(data, list) else [data]
    return " ".join(
        each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each) for each in lines
    )
