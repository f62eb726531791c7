"""The running service: its parts, and the order in which they start and stop.

Owns the composition, and the log lines about the whole. Never answers a request, and never decides what a
job or a worker does.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from anyio import CapacityLimiter

from announcement import announce
from auth import BearerGate
from config import PROJECT, Settings
from disgram.alerts.running import alerting
from disgram.api.parts import Channels, Limits, Progress, Supervision, Webhooks
from disgram.api.systemd import Notifier
from disgram.checks.channel_lookup import ChannelLookup
from disgram.checks.webhook_lookup import WebhookLookup
from disgram.health import known, summary
from disgram.health.host_stats import HostMonitor
from disgram.health.memory import HealthMemory
from disgram.health.rows import HostSeen
from disgram.health.watch import HealthWatch
from disgram.logs.idle_polls import IdlePolls
from disgram.logs.log_file import LogFile
from disgram.logs.python_logging import logging_into
from disgram.logs.refused_logins import RefusedLogins
from disgram.logs.standard_streams import patient_stderr
from disgram.metrics.totals import Totals
from disgram.own_process import end_at_once, leave_no_core, make_folder
from disgram.preview.process import AT_ONCE
from disgram.report import Level, Report
from disgram.storage.before_use import raise_if_any_is_newer
from disgram.storage.files.locks import LOCK_FILE, InstanceLock
from disgram.storage.files.regular_file import refuse_special
from disgram.storage.watched_files import WatchedFiles, open_limits
from disgram.telegram.account.session import library_installed
from disgram.telegram.account.supervision import AccountProcess
from disgram.telegram.egress.known import EgressStates, egress_states
from disgram.workers.forkserver_process import ForkServerProcess, child_environment, worker_modules
from disgram.workers.spec import WorkerSpec
from disgram.workers.supervisor import Supervisor
from hosting import Hosting, OneHost, Specs, clear_gone, open_jobs, require_driver
from jobs import Job, JobManager
from rate_limiter import DiscordRateLimiter, Route

_STOP_WITHIN = 8.0
"""Seconds for the workers to end; every process must have ended after ten."""
_ALERT_ROUTE = partial(Route.to, "POST", "alerts")


@dataclass(frozen=True, kw_only=True)
class ServiceParts:
    """What `assembled` is given. `lost_files`: which files are missing, or what else is, so that nothing is
    sent. `egress`: how the addresses of TELEGRAM_EGRESS are, if that is set. `hosts`: see Hosting.hosts."""

    settings: Settings
    jobs: JobManager
    log: LogFile
    supervisor: Supervision
    ledger: Progress
    limits: Limits
    webhooks: Webhooks
    channels: Channels
    systemd: Notifier = field(default_factory=Notifier)
    totals: Totals = field(default_factory=Totals)
    lost_files: Callable[[], tuple[str, ...]] = tuple
    account: AccountProcess | None = None
    egress: EgressStates | None = None
    hosts: Callable[[], Sequence[HostSeen] | None] = lambda: None


@dataclass(frozen=True, kw_only=True)
class Service(ServiceParts):
    """All parts of a running service."""

    host: HostMonitor
    watch: HealthWatch
    gate: BearerGate
    started: float
    preview_turns: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(AT_ONCE))

    def clear_gone(self, job: Job) -> None:
        """See hosting.clear_gone."""
        clear_gone(job, self.settings, self.ledger)

    def moment(self) -> summary.Moment:
        now = time.monotonic()
        return summary.Moment(
            now=datetime.now(timezone.utc),
            monotonic=now,
            uptime=now - self.started,
            stale_after=self.settings.log_stale_after,
            monitor_interval=self.settings.monitor_interval,
        )


def refuse_second_service(settings: Settings) -> None:
    """Raises StartRefused if a service runs on the same data directory."""
    lock = settings.data_dir / LOCK_FILE
    if lock.exists():
        with InstanceLock(lock):
            pass


def _prepare(folder: Path) -> None:
    """Nothing secret leaves this process by a core or a file's rights. Raises StartRefused."""
    leave_no_core()
    make_folder(folder)
    with contextlib.suppress(OSError):  # no such file, or another owner's
        (PROJECT / ".env").chmod(0o600)
    for name in ("Disgram.log", "disgram.db", "limits.db", LOCK_FILE):
        refuse_special(folder / name)


@contextlib.contextmanager
def running_service(
    settings: Settings, several: Callable[[Settings, LogFile], Hosting] | None = None
) -> Iterator[Service]:
    """Start every part in order, and stop them in reverse. Raises StartRefused before any has started.
    `several`: what makes it one of several hosts, if DATABASE_URL is set; None: SeveralHosts."""
    folder = settings.data_dir
    _prepare(folder)
    with InstanceLock(folder / LOCK_FILE):
        raise_if_any_is_newer(folder)
        hosting, log = _hosting(settings, several)
        jobs, ledger = hosting.jobs, hosting.ledger

        def desired() -> Specs:
            hosting.take_over_edits(supervisor)
            all_specs = jobs.specs(settings, ledger.file)
            specs = hosting.runnable(all_specs)
            may_run = files.workers_may_run()
            needs_account = all_specs and may_run and library_installed()
            account.want(settings.account_login if needs_account else None)
            return specs if may_run else {}

        account = AccountProcess(child_environment(), log.write, until=hosting.account_until)
        systemd, idle_polls, totals = Notifier.from_environment(os.environ), IdlePolls(), Totals()

        def on_turn() -> None:
            systemd.turn()
            hosting.turned(supervisor.live)
            if summary := idle_polls.summary(time.monotonic()):
                log.write(Level.INFO, summary)

        supervisor = Supervisor(
            desired,
            log_reports(log, idle_polls),
            ForkServerProcess(worker_modules(several_hosts=bool(settings.database_url))),
            monitor_interval=min(settings.monitor_interval, systemd.interval),
            stale_after=settings.log_stale_after,
            on_turn=on_turn,
            on_crash=end_at_once,
            on_facts=totals.add,
        )
        store = open_limits(folder / "limits.db", log.write)
        limits = DiscordRateLimiter(store)
        interval = settings.monitor_interval
        webhooks = WebhookLookup(
            limits, lambda method, goal: Route.to(method, "service", goal), hosting.sender_to
        )
        channels = ChannelLookup(
            settings.telegram_base_url,
            folder,
            settings.telegram_requests_per_second,
            lambda: settings.account,
            settings.telegram_egress,
        )
        files = WatchedFiles(ledger, store, supervisor.idle, log.write, interval=interval)
        with (
            contextlib.closing(hosting),
            contextlib.closing(limits),
            hosting.running(supervisor, limits) as supervision,
            assembled(
                ServiceParts(
                    settings=settings,
                    jobs=jobs,
                    log=log,
                    supervisor=supervision,
                    ledger=ledger,
                    limits=limits,
                    webhooks=webhooks,
                    channels=channels,
                    systemd=systemd,
                    totals=totals,
                    lost_files=lambda: (*hosting.problems(), *files.problems()),
                    account=account,
                    egress=egress_states(store, settings.telegram_egress),
                    hosts=hosting.hosts,
                )
            ) as service,
            alerting(
                service,
                folder,
                settings.alert_address,
                settings.alert_after,
                limits,
                _ALERT_ROUTE,
                hosting.sends_alerts,
            ),
        ):
            yield service


@contextlib.contextmanager
def assembled(parts: ServiceParts) -> Iterator[Service]:
    """The service over its parts: started on entry, stopped on exit."""
    settings, log = parts.settings, parts.log
    host = HostMonitor(settings.data_dir)
    refused = RefusedLogins(lambda text: log.write(Level.SYSTEM, text))
    gate = BearerGate(
        settings.auth_password,
        clock=time.monotonic,
        on_refusal=refused.add,
        peer_must_be_local=settings.default_password,
    )
    watch = HealthWatch(parts.ledger, HealthMemory(settings.data_dir), settings.monitor_interval)
    service = Service(**vars(parts), host=host, watch=watch, gate=gate, started=time.monotonic())
    announce(service)
    with contextlib.closing(log):
        with logging_into(log), contextlib.closing(refused):
            host.start()
            parts.supervisor.start()
            watch.start(partial(known.view, service))
            try:
                yield service
            finally:
                parts.systemd.stopping()
                watch.stop()
                parts.supervisor.stop(_STOP_WITHIN)
                if parts.account:
                    parts.account.stop()
                host.stop()
        log.write(Level.SYSTEM, "Disgram stopped")


def _hosting(
    settings: Settings, several: Callable[[Settings, LogFile], Hosting] | None
) -> tuple[Hosting, LogFile]:
    """Raises StartRefused and StorageUnavailable."""
    if settings.database_url:
        log = open_log(settings)
        return (several or _several_hosts())(settings, log), log
    jobs, log = open_jobs(settings), open_log(settings)
    return OneHost(settings, log, jobs), log


def _several_hosts() -> Callable[[Settings, LogFile], Hosting]:
    """Raises StartRefused where the driver is missing."""
    require_driver()
    from several_hosts import SeveralHosts  # only here: it imports the driver

    return SeveralHosts


def open_log(settings: Settings) -> LogFile:
    stderr = patient_stderr() if settings.log_to_stderr else None
    return LogFile(
        settings.data_dir / "Disgram.log",
        max_bytes=settings.log_max_bytes,
        backups=settings.log_backups,
        secrets=settings.secrets,
        copy=stderr.write if stderr else None,
    )


def log_reports(log: LogFile, idle_polls: IdlePolls) -> Callable[[WorkerSpec, Report], None]:
    """The supervisor's `on_report`: writes a worker's report into the log, and counts its idle polls."""

    def write(spec: WorkerSpec, report: Report) -> None:
        if report.facts.get("polled") is True:
            idle_polls.polled(spec.key, idle=report.level is None, now=time.monotonic())
        if report.level:
            log.write(report.level, report.text, spec.job, spec.channel.name)

    return write
