"""Whether the process that wrote a file still runs.

In: what a process wrote down of itself. Out: yes or no, also where its number was given to another.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process, told apart from all others before and after it."""

    host: str
    system: str
    """Which boot of which machine, and which namespace of process numbers (a container's)."""
    pid: int
    start: int
    """When it began, in clock ticks since the boot."""

    @staticmethod
    def this() -> Process:
        pid = os.getpid()
        return Process(socket.gethostname(), _system(), pid, _start(pid) or 0)

    def runs(self) -> bool | None:
        """Whether it is alive; None where that cannot be seen from here, as on another node."""
        if self.system != _system():
            return None
        return _start(self.pid) == self.start


def _system() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {os.readlink('/proc/self/ns/pid')}"


def _start(pid: int) -> int | None:
    """Start of a living process; None of one that is dead or waits to be buried (proc(5))."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *numbers = text.rpartition(")")[2].split()  # its name may have spaces
    return None if state in "ZX" else int(numbers[18])
