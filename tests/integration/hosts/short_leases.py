"""`python main.py` with leases of a few seconds, so that no test waits a minute for a take-over.

python -m tests.integration.hosts.short_leases
"""

from __future__ import annotations

from functools import partial

from config import SETTINGS
from disgram.api.server import serve
from disgram.hosts.times import LeaseTimes
from main import create_app
from service import refuse_second_service, running_service
from several_hosts import SeveralHosts

TIMES = LeaseTimes(lease=4.0, renew=0.5, margin=1.5, retry=0.3)
"""`margin` is longer than the REQUEST_TIMEOUT of the tests' services."""

if __name__ == "__main__":
    app = create_app(SETTINGS, partial(running_service, several=partial(SeveralHosts, times=TIMES)))
    serve(app, SETTINGS.host, SETTINGS.port, on_taken=partial(refuse_second_service, SETTINGS))
