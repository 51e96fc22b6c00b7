"""Debian's dovecot on loopback ports, as an account without rights: real IMAP with IDLE, and LMTP.

Every user there is exists, with the same password: a test takes one of its own.
"""

import contextlib
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from imap_tools import MailBoxUnencrypted

from tests.fakes.mail.smtp import certificate_files

PASSWORD = "correct-horse"
_STARTS_WITHIN = 20.0  # seconds
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")

_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
ssl_min_protocol = TLSv1.2
auth_mechanisms = plain xoauth2
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = sdbox:{folder}/mail/%u
mail_fsync = never
mail_max_userip_connections = 100
recipient_delimiter = +
auth_failure_delay = 0
lmtp_rcpt_check_quota = no
postmaster_address = postmaster@miyabi.example
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = plain
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home/%u allow_all_users=yes
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service stats {{
  chroot =
}}
"""

_OAUTH2 = """
tokeninfo_url = http://127.0.0.1:{tokens}/?access_token=
username_attribute = user
"""


@dataclass(frozen=True)
class Dovecot:
    """A running server. `imap` has STARTTLS, `imaps` TLS from the beginning; `authorities` is a
    file of whom to believe for that. `token_of` gives a user's access token for XOAUTH2."""

    imap: int
    imaps: int
    lmtp: int
    folder: Path

    @property
    def authorities(self) -> Path:
        return self.folder / "cert.pem"

    def token_of(self, user: str) -> str:
        return f"{user}-token"

    def mailbox(self, user: str, folder: str = "INBOX") -> MailBoxUnencrypted:
        """A session of a user's own, as their mail program has one."""
        opened = MailBoxUnencrypted("127.0.0.1", self.imap, timeout=20)
        opened.login(user, PASSWORD, folder)
        return opened


def program() -> str | None:
    """Where dovecot is; sbin is not in everybody's path."""
    return shutil.which("dovecot", path=os.pathsep.join((os.environ.get("PATH", ""), *_PLACES)))


@contextmanager
def serving() -> Iterator[Dovecot]:
    """Dovecot in a folder of its own, until the block ends. Raises RuntimeError with its log."""
    found = program()
    if found is None:
        raise RuntimeError("there is no dovecot")
    folder = Path(tempfile.mkdtemp(prefix="dovecot-", dir="/tmp"))  # a socket's path is short
    account = _account()
    imap, imaps, lmtp = _free_port(), _free_port(), _free_port()
    issuer = _token_issuer()
    names = {"folder": folder, "imap": imap, "imaps": imaps, "lmtp": lmtp, "password": PASSWORD}
    file, oauth2 = folder / "dovecot.conf", folder / "oauth2.conf"
    file.write_text(_CONFIGURATION.format(**names, user=account.user, group=account.group))
    oauth2.write_text(_OAUTH2.format(tokens=issuer.server_port))
    for path in (folder, file, oauth2, *certificate_files(folder)):
        shutil.chown(path, account.user, account.group)
    running = subprocess.Popen(
        [found, "-F", "-c", str(file)],
        stdout=subprocess.DEVNULL,
        stderr=(folder / "stderr").open("wb"),
        **(
            {"user": account.user, "group": account.group, "extra_groups": []}
            if account.drop
            else {}
        ),
    )
    try:
        _wait(running, (imap, imaps, lmtp), folder)
        yield Dovecot(imap, imaps, lmtp, folder)
    finally:
        issuer.shutdown()
        running.terminate()
        running.wait(_STARTS_WITHIN)
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Account:
    user: str
    group: str
    drop: bool


def _account() -> _Account:
    """Ours; `nobody` where we are root, as whom no mail may be read."""
    import grp

    uid = os.geteuid()
    entry = pwd.getpwnam("nobody") if uid == 0 else pwd.getpwuid(uid)
    return _Account(entry.pw_name, grp.getgrgid(entry.pw_gid).gr_name, drop=uid == 0)


class _Tokens(BaseHTTPRequestHandler):
    """Whose token it is (the draft that dovecot calls tokeninfo)."""

    def do_GET(self) -> None:
        token = parse_qs(urlsplit(self.path).query).get("access_token", [""])[0]
        user = token.removesuffix("-token")
        content = json.dumps({"user": user}).encode() if user != token else b""
        self.send_response(200 if content else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        return None


def _token_issuer() -> HTTPServer:
    issuer = HTTPServer(("127.0.0.1", 0), _Tokens)
    threading.Thread(target=issuer.serve_forever, daemon=True).start()
    return issuer


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(running: subprocess.Popen[bytes], ports: tuple[int, ...], folder: Path) -> None:
    until = time.monotonic() + _STARTS_WITHIN
    for port in ports:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if running.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"dovecot does not start: {_log(folder)}")
            time.sleep(0.05)


def _log(folder: Path) -> str:
    said = [
        p.read_text("utf-8", "replace") for p in (folder / "stderr", folder / "log") if p.is_file()
    ]
    return "\n".join(said)[-2000:]
