"""Debian's dovecot on loopback ports, as an account without rights: real IMAP with IDLE, and LMTP.

Every user there is exists, with the same password: a test takes one of its own.
"""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imap_tools import MailBoxUnencrypted

PASSWORD = "correct-horse"
_STARTS_WITHIN = 20.0  # seconds
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")

_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
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
  driver = static
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
    port = 0
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


@dataclass(frozen=True)
class Dovecot:
    """A running server."""

    imap: int
    lmtp: int
    folder: Path

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
    imap, lmtp = _free_port(), _free_port()
    names = {"folder": folder, "imap": imap, "lmtp": lmtp, "password": PASSWORD}
    file = folder / "dovecot.conf"
    file.write_text(_CONFIGURATION.format(**names, user=account.user, group=account.group))
    for path in (folder, file):
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
        _wait(running, (imap, lmtp), folder)
        yield Dovecot(imap, lmtp, folder)
    finally:
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
