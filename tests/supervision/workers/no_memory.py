"""Once imported, no fork succeeds."""

import errno
import os


def _refuse() -> int:
    raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))


os.fork = _refuse
