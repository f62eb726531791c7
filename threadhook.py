"""The worker for a thread: the one of webhook.py, with DISCORD_THREAD_ID. Owns nothing else."""

from __future__ import annotations

import sys

from webhook import serve

__all__ = ["serve"]

if __name__ == "__main__":
    from worker_cli import main  # only here: it reads the environment

    sys.exit(main(sys.argv[1:], threaded=True))
