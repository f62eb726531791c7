"""Does what the contract says: reports, beats, and says goodbye when asked to stop."""

import os

from disgram.errors import Stopping
from disgram.report import Level, Reporter
from disgram.workers.heartbeat import Pulse
from disgram.workers.spec import WorkerSpec


def serve(spec: WorkerSpec, say: Reporter, pulse: Pulse) -> int:
    say(Level.STATUS, "up", polled=True, last_post_id=7, gaps=[[3, 5]], layout_changed=2, reason=None)
    say(Level.INFO, f"knows {sorted(os.environ)}")
    try:
        while True:
            pulse.wait(0.2)
            say(Level.INFO, "working")
    except Stopping:
        for number in range(200):
            say(Level.INFO, f"farewell {number}")
        raise
