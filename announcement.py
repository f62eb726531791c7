"""What the log says at the start of a service, and when its jobs have changed: what is missing or too much.

Owns these lines. Decides nothing: the service starts all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from config import Settings
from disgram import __version__
from disgram.health.rows import HostSeen
from disgram.logs.log_file import LogFile
from disgram.report import Level, counted
from disgram.telegram.account.session import NO_LIBRARY, library_installed
from jobs import JobManager

_KNOWN_PASSWORD = (
    "AUTH_PASSWORD is the published default, so only this machine can use the service. Set your own in .env."  # noqa: S105
)


class Announced(Protocol):
    """The parts of a service that the lines are about."""

    @property
    def settings(self) -> Settings: ...
    @property
    def jobs(self) -> JobManager: ...
    @property
    def log(self) -> LogFile: ...
    @property
    def hosts(self) -> Callable[[], Sequence[HostSeen] | None]: ...


def announce(service: Announced) -> None:
    jobs = counted(len(service.jobs.jobs()), "job")
    service.log.write(Level.SYSTEM, f"Disgram {__version__} started, {jobs}")
    for name, unusable in service.jobs.unusable().items():
        service.log.write(Level.ERROR, f"{unusable.error}", name)
    if service.settings.default_password:
        service.log.warn(Level.SYSTEM, _KNOWN_PASSWORD)
    if service.settings.account_login and not library_installed():
        service.log.warn(Level.STATUS, NO_LIBRARY)
    if problem := service.settings.webhook_problem:
        service.log.warn(Level.STATUS, f"{problem} Until then each job has to name its own.")
    warn_of_pace(service)


def warn_of_pace(service: Announced) -> None:
    """Log a warning if the channels are to be polled more often than TELEGRAM_REQUESTS_PER_SECOND allows."""
    settings = service.settings
    jobs = [job for job in service.jobs.jobs().values() if not job.paused]
    needed = sum(len(job.telegramChannels) / job.rests(settings.cooldown).longest for job in jobs)
    if needed <= _pace(service):
        return
    channels = counted(sum(len(job.telegramChannels) for job in jobs), "channel")
    addresses = len(settings.telegram_egress)
    of_each = f" through {addresses} addresses" if addresses > 1 else ""
    text = (
        f"{channels} would need {needed:.3g} polls a second, more than TELEGRAM_REQUESTS_PER_SECOND{of_each}"
    )
    service.log.write(Level.STATUS, f"{text}: they are polled less often than COOLDOWN says")


def _pace(service: Announced) -> float:
    """Requests to Telegram a second, of all hosts together; infinite as long as none was seen."""
    hosts = service.hosts()
    if hosts is None:
        return service.settings.telegram_pace
    return sum(host.weight for host in hosts if host.valid) or float("inf")
