"""Files that one process at a time may write. Called by `rundir` and by `studies.runner`."""

from __future__ import annotations

import errno
from typing import TextIO

try:
    import fcntl
except ImportError:  # Windows: no lock there
    fcntl = None  # type: ignore[assignment]

NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
"""What file systems without locks answer, such as Lustre mounted without flock: a run goes on there unguarded."""


def taken(file: TextIO) -> bool:
    """Takes the file for this process, until it is closed; False where another has it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return True
