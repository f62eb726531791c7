"""The alerts of a running service: put together, started and stopped.

Owns that order. Without ALERT_WEBHOOK_URL nothing is imported, started or written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disgram.addresses import Destination
from disgram.alerts.alerts import Alerts
from disgram.alerts.memory import AlertMemory
from disgram.health import known

if TYPE_CHECKING:
    from disgram.alerts.senders import Limiter

_STOP_WITHIN = 1.0


@contextlib.contextmanager
def alerting(
    service: known.WatchedService,
    data_dir: Path,
    address: Destination | str | None,
    after: float,
    limiter: Limiter,
    route: Callable[[Destination], Any],
    is_mine: Callable[[], bool] = lambda: True,
) -> Iterator[None]:
    """Alert as long as the block runs. `after`: ALERT_AFTER in seconds; `route`: the limiter's, for a POST to
    a webhook; `is_mine`: whether this host tells of all jobs, and not another one."""
    if address is None:
        yield
        return
    from disgram.alerts.senders import DiscordSender, PlainSender

    def send(content: str) -> None:
        sender(content)

    alerts = Alerts(send, AlertMemory(data_dir), after, log=service.log.write)
    sender = (
        DiscordSender(address, limiter, route(address), alerts.wait)
        if isinstance(address, Destination)
        else PlainSender(address)
    )
    alerts.start(partial(known.view, service), is_mine)
    try:
        yield
    finally:
        alerts.stop(_STOP_WITHIN)
