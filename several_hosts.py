"""A service that is one of several hosts: jobs, progress and leases in PostgreSQL, its share of the workers.

Owns the composition of disgram/hosts and disgram/postgres. Imported only with DATABASE_URL, since it loads
the driver.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress

from config import Settings
from disgram.api.parts import Supervision
from disgram.errors import StartFailed, StartRefused, StorageUnavailable
from disgram.hosts.identity import new_incarnation
from disgram.hosts.membership import Membership
from disgram.hosts.shared.exchange import Exchange
from disgram.hosts.shared.hand_over import HandOver
from disgram.hosts.shared.jobs_table import JobsTable
from disgram.hosts.shared.leased import LeasedSpecs
from disgram.hosts.shared.news import HostNews
from disgram.hosts.shared.orders import Orders
from disgram.hosts.shared.supervision import HostsSupervision
from disgram.hosts.shared.worker_rows import WorkerRows
from disgram.hosts.statements import holder_of
from disgram.hosts.times import LEASE_TIMES, LeaseTimes
from disgram.hosts.units import ACCOUNT, ALERTS, Key, destination, units_of
from disgram.hosts.view import HostSeen
from disgram.logs.log_file import LogFile
from disgram.own_process import end_at_once
from disgram.postgres.database import PostgresDatabase
from disgram.postgres.ledger import PostgresLedger, begin_anew
from disgram.postgres.notices import Notices
from disgram.report import Level, counted
from disgram.storage.remote.server import LedgerServer
from disgram.storage.remote.wire import SOCKET
from disgram.workers.supervisor import Supervisor
from hosting import Specs, open_jobs
from jobs import JobManager
from rate_limiter import DiscordRateLimiter

_NOT_USED = (
    "With DATABASE_URL the jobs of jobs.json are not used, and {} of it are not in the database. "
    "`disgram import-sqlite` takes jobs and progress over; to begin without them, move jobs.json away."
)


class SeveralHosts:
    """A Hosting. Raises StartRefused, and StorageUnavailable while the database cannot be reached."""

    def __init__(self, settings: Settings, log: LogFile, *, times: LeaseTimes = LEASE_TIMES) -> None:
        self._settings, self._log, self._times = settings, log, times
        self.name = settings.host_name or socket.gethostname()
        self._incarnation = new_incarnation(settings.data_dir)
        self._url = settings.database_url or ""
        self._database = PostgresDatabase(self._url)
        self._orders = Orders(self._database, self._incarnation)
        self._table = JobsTable(
            self._database, settings.webhook_hosts, tell=self._orders.jobs_changed, begin_anew=begin_anew
        )
        self.jobs, self.ledger = JobManager(self._table), PostgresLedger(self._database)
        self._leased = LeasedSpecs(lambda: self._table.read_at, self._read_jobs_soon)
        self._news = HostNews(log.write)
        self._specs: Specs = {}
        self._membership: Membership | None = None
        self._exchange: Exchange | None = None
        try:
            self.jobs.load()
        except BaseException:
            self._database.close()
            raise

    @contextlib.contextmanager
    def running(self, supervisor: Supervisor, limiter: DiscordRateLimiter) -> Iterator[Supervision]:
        membership = self._membership = self._joining(supervisor, limiter)
        rows = WorkerRows(self._database, self.name)
        exchange = self._exchange = Exchange(
            Notices(self._url),
            self._orders,
            self._table,
            rows,
            supervisor,
            membership.wake,
            interval=self._settings.monitor_interval,
        )
        server = LedgerServer(
            self._settings.data_dir / SOCKET, self.ledger.fenced, membership.may_send_until, self._on_lost
        )
        membership.join()
        try:
            rows.forget_own()
            self._say_what_is_not_used()
            membership.want(units_of(self.jobs.specs(self._settings).values()))
            membership.start()
            exchange.start()
            _start(server)
            yield HostsSupervision(
                supervisor,
                self._database,
                self._orders,
                rows,
                host=self.name,
                keys=self._leased.keys,
                hosts=membership.hosts,
                on_stop=membership.drain,
            )
        finally:
            server.stop()
            if membership.problem:  # it would be waited for in vain, and the leases end by themselves
                exchange.stop(0.0)
            else:
                exchange.stop()
                with suppress(StorageUnavailable):
                    rows.forget_own()
            membership.stop()

    def _on_lost(self, job: str, channel: str, epoch: int) -> None:
        """A worker's write was refused."""
        self._member.wake()

    def _joining(self, supervisor: Supervisor, limiter: DiscordRateLimiter) -> Membership:
        return Membership(
            self._database,
            self.name,
            self._incarnation,
            hand_over=HandOver(self.ledger.recent_posts, limiter.take_over),
            on_change=supervisor.wake,
            weight=self._settings.telegram_pace,
            account=self._settings.account,
            times=self._times,
            on_crash=end_at_once,
        )

    def take_over_edits(self, supervisor: Supervision) -> None:
        for edit in self.jobs.take_over_edits():
            for name in edit.changed:
                supervisor.reset_backoff(name)
                self._log.write(Level.SYSTEM, "Job changed through another host", name)
            for name in edit.removed:
                self._log.write(Level.SYSTEM, "Job deleted through another host", name)

    def runnable(self, specs: Specs) -> Specs:
        if specs != self._specs:  # a thousand channels of one webhook take 10 ms
            self._specs = specs
            self._member.want(units_of(specs.values()))
        return self._leased.of(specs, self._member.lease_of)

    def _read_jobs_soon(self) -> None:
        if self._exchange:
            self._exchange.read_jobs_soon()

    def turned(self, live: Callable[[], Collection[Key]]) -> None:
        self._member.turned(live)
        self._news.look(self._member.hosts(), self._member.problem)

    def problems(self) -> tuple[str, ...]:
        problem = self._member.problem
        return (problem,) if problem else ()

    def account_until(self) -> float:
        return self._member.held_until(ACCOUNT)

    def sends_alerts(self) -> bool:
        return self._member.holds(ALERTS)

    def sender_to(self, webhook_id: str) -> str | None:
        with self._database.reading() as run:
            holder = holder_of(run, destination(webhook_id))
        return None if holder == self.name else holder

    def hosts(self) -> Sequence[HostSeen]:
        return self._member.hosts()

    def close(self) -> None:
        self.ledger.close()

    @property
    def _member(self) -> Membership:
        assert self._membership  # noqa: S101 - `running` comes before everything that asks
        return self._membership

    def _say_what_is_not_used(self) -> None:
        """Nothing is taken over by itself: which of two ledgers is right, only a person knows."""
        with suppress(StartRefused):
            left = open_jobs(self._settings).entries().keys() - self.jobs.entries().keys()
            if left:
                self._log.write(Level.ERROR, _NOT_USED.format(counted(len(left), "job")))


def _start(server: LedgerServer) -> None:
    """Raises StartFailed."""
    try:
        server.start()
    except OSError as error:
        raise StartFailed(f"{SOCKET} cannot be made in the data directory: {error.strerror}") from None


def stored_jobs(settings: Settings) -> JobManager:
    """The jobs of all hosts, read once. Raises StartRefused and StorageUnavailable."""
    with contextlib.closing(PostgresDatabase(settings.database_url or "")) as database:
        jobs = JobManager(JobsTable(database, settings.webhook_hosts))
        jobs.load()
    return jobs
