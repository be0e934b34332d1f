"""An audit hook that refuses what no command of ganforge may do."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Any

#: unpickling a global, a process that is started, and a name or an address that is looked for
REFUSED = {
    "pickle.find_class": "unpickles",
    "subprocess.Popen": "starts a process",
    "os.system": "starts a process",
    "os.exec": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "pty.spawn": "starts a process",
    "socket.connect": "connects",
    "socket.bind": "listens",
    "socket.sendto": "connects",
    "socket.getaddrinfo": "looks a host up",
    "socket.gethostbyname": "looks a host up",
    "socket.gethostbyaddr": "looks a host up",
    "urllib.Request": "connects",
    "http.client.connect": "connects",
}


def is_allowed(event: str, arguments: tuple[Any, ...]) -> bool:
    """Tell `git`, which a run asks for its commit, and processes of ours that try an import.

    That of `doctor` tries torch, that of `check-plugin` what importing a plugin changes.
    """
    if event != "subprocess.Popen":
        return False
    program, words = arguments[:2]
    return Path(os.fsdecode(program)).name == "git" or any(
        trial in os.fsdecode(word)
        for word in words
        for trial in ("ganforge.device.probe", "ganforge.plugin.keeping")
    )


def arm(log: Path) -> None:
    """Refuse from now on, and for good: a line and the stack go to the log, then an error."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in REFUSED or is_allowed(event, arguments):
            return
        if event == "os.fork" and sys._getframe(1).f_code.co_name == "_fork_exec":
            return
        stack = "".join(traceback.format_stack(limit=12))
        os.write(descriptor, f"{event}: {REFUSED[event]}: {arguments!r:.200}\n{stack}\n".encode())
        raise PermissionError(f"{event} is not allowed here")

    sys.addaudithook(refuse)
