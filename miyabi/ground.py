"""The ground that embedded servers stand on: whose account, which folders, how sockets fit."""

import hashlib
import os
import pwd
import re
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ACCOUNT = "pgserver"
_SOCKET_LIMIT = 103  # bytes in a unix socket's path: 107 on Linux, 103 on macOS
_LONGEST_NAME = len("/.s.PGSQL.5432")


@dataclass(frozen=True, slots=True)
class Account:
    """The account that servers run as. PostgreSQL refuses root, so root lends another's."""

    uid: int
    gid: int
    lent: bool

    def arguments(self) -> dict[str, Any]:
        """For subprocess: whose process, and an environment that holds no secrets of ours."""
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        common: dict[str, Any] = {"env": environment, "umask": 0o077}
        if not self.lent:
            return common
        return common | {"user": self.uid, "group": self.gid, "extra_groups": []}

    def gives(self, path: Path) -> None:
        """Make the path this account's own."""
        if self.lent:
            os.chown(path, self.uid, self.gid)


def service_account() -> Account:
    """Our own account, or for root one without rights (made where the system lets us)."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), lent=False)
    entry = _entry(_ACCOUNT)
    if entry is None:
        _add_account()
        entry = _entry(_ACCOUNT) or _entry("nobody")
    if entry is None:
        raise OSError("PostgreSQL does not run as root, and there is no other account to lend")
    return Account(entry.pw_uid, entry.pw_gid, lent=True)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _add_account() -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _ACCOUNT]
    try:
        subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - fixed words
    except FileNotFoundError:
        return  # no useradd here: `nobody` serves


def reachable(path: Path, account: Account) -> None:
    """Let a lent account come to the path: pass through the folders above it, read what is in it.

    Folders above only get the right to pass (o+x), not to list. A data folder that is the
    account's own stays closed to everyone else.
    """
    if not account.lent:
        return
    opened = [each for each in path.resolve().parents if _add_mode(each, stat.S_IXOTH, account)]
    if path.stat().st_uid != account.uid:
        for each in (path, *(path.rglob("*") if path.is_dir() else ())):
            runs = each.is_dir() or each.stat().st_mode & stat.S_IXUSR
            if _add_mode(each, stat.S_IROTH | (stat.S_IXOTH if runs else 0), account):
                opened.append(each)
    if opened:
        more = f" and {len(opened) - 1} more" if len(opened) > 1 else ""
        text = f"opened {opened[0]}{more} to the account that runs the servers"
        print(text, flush=True)  # noqa: T201 - into the server's log


def _add_mode(path: Path, wanted: int, account: Account) -> bool:
    status = path.stat()
    if status.st_uid == account.uid or status.st_mode & wanted == wanted:
        return False
    path.chmod(stat.S_IMODE(status.st_mode) | wanted)
    return True


def run_folder(home: Path, account: Account) -> Path:
    """The folder of the sockets, closed to everyone but the servers' account (and root).

    It is `home/run`, or where that is too long for a socket or has characters that do not fit
    into an address, a folder of its own under the system's folder for temporary files.
    """
    folder = home / "run"
    fits = len(os.fsencode(folder)) + _LONGEST_NAME <= _SOCKET_LIMIT
    if not fits or not re.fullmatch(r"[\w./-]+", str(folder), re.ASCII):
        name = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"miyabi-{os.geteuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    # Anyone may have made that name in a shared folder before us.
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {os.geteuid(), account.uid}:
        raise OSError(f"{folder} belongs to someone else")
    account.gives(folder)
    folder.chmod(0o700)
    reachable(folder, account)
    return folder
