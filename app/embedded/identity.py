"""PostgreSQL refuses to run as root, and its initdb refuses a user without a name. This finds a way for both.

A user namespace comes first: files keep their real owner, nothing on the machine is changed, and ``unshare`` execs the
server, so the pid is the server's own. Where namespaces are closed (some containers), root gives the data directory to
an ordinary account instead and starts the server as that one.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.embedded.errors import EmbeddedError

# No account here owns anything of Holdfast's; the first that the machine has will do.
_ACCOUNTS = ("postgres", "nobody", "daemon")


@dataclass(frozen=True, slots=True)
class Identity:
    """How to start a server as somebody it accepts: a command ``prefix``, or a ``uid``/``gid`` to become."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def own(self, directory: Path) -> None:
        """Give ``directory`` and all in it to the server's owner (as root only; others own what they make)."""
        if os.geteuid() != 0:
            return
        uid, gid = (self.uid or 0), (self.gid or 0)
        if directory.stat().st_uid == uid:
            return
        for folder, _, files in os.walk(directory):
            os.chown(folder, uid, gid)
            for name in files:
                os.chown(Path(folder) / name, uid, gid, follow_symlinks=False)

    @property
    def popen(self) -> dict[str, object]:
        """Arguments for ``subprocess.Popen``."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}


def ordinary_account() -> pwd.struct_passwd:
    """An account of this machine that is not root."""
    known = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    for name in (*_ACCOUNTS, *known):
        if name in known:
            return known[name]
    raise EmbeddedError("embedded-identity", reason="/etc/passwd: 0 accounts")


def dropped() -> Identity:
    """Root's second choice: become an ordinary account."""
    account = ordinary_account()
    return Identity(uid=account.pw_uid, gid=account.pw_gid)


@cache
def identity() -> Identity:
    """The identity that PostgreSQL accepts in this process; found once, because it asks the kernel."""
    uid = os.geteuid()
    if uid != 0 and _has_name(uid):
        return Identity()
    account = ordinary_account()
    unshare = shutil.which("unshare", path=f"{os.environ.get('PATH', '')}:/usr/bin:/bin")
    reason = "unshare: not found"
    if unshare:
        prefix = (unshare, "-U", f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid}")
        tried = subprocess.run([*prefix, "true"], capture_output=True, check=False, timeout=10)  # noqa: S603
        if tried.returncode == 0:
            return Identity(prefix=prefix)
        reason = tried.stderr.decode(errors="replace").strip()
    if uid == 0:
        return dropped()
    raise EmbeddedError("embedded-identity", reason=reason)


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
