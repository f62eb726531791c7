"""How t.me goes wrong: ready-made faults for `TelegramStandIn.fail`."""

from __future__ import annotations

from standins.loopback import Fault

BLOCK_PAGE = Fault.status(
    200, "<html><head><title>Just a moment...</title></head><body>Checking</body></html>"
)
"""A 200 that is not t.me's."""


def every_fault(hang: float = 3.0) -> list[Fault]:
    """One of each; `hang` in seconds."""
    return [
        Fault.status(502), Fault.status(429, retry_after=1), Fault.reset_before(), Fault.truncated(),
        Fault.hang(hang), BLOCK_PAGE, Fault.early_hints(), Fault.gzip_cut_off(),
    ]  # fmt: skip
