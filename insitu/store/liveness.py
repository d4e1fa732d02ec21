"""Whether the process that wrote a file still runs.

In: what a process recorded about itself. Out: yes or no, even if its process number was reused.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process, identified uniquely across reuse of process numbers."""

    host: str
    system: str
    """Machine, boot, and PID namespace (a container has its own)."""
    pid: int
    start: int
    """Start time, in clock ticks since boot."""

    @staticmethod
    def this() -> Process:
        pid = os.getpid()
        return Process(os.uname().nodename, _system(), pid, _start(pid) or 0)

    def runs(self) -> bool | None:
        """Whether it is alive; None if that cannot be determined, e.g. on another node."""
        if self.system != _system():
            return None
        return _start(self.pid) == self.start


def _system() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {os.readlink('/proc/self/ns/pid')}"


def _start(pid: int) -> int | None:
    """Start time of a live process; None for a dead process or a zombie (proc(5))."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *numbers = text.rpartition(")")[2].split()  # its name may contain spaces
    return None if state in "ZX" else int(numbers[18])
