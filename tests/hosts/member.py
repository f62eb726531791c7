"""A host with a thread that does what its supervisor would: it starts what it may, and ends what it may not.

Used by tests in this process, and run as a process of its own that can be frozen and killed:
`python -m tests.hosts.member URL NAME DIRECTORY LEASE CHANNEL…`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from disgram.errors import StorageUnavailable
from disgram.hosts.identity import new_incarnation
from disgram.hosts.membership import Membership
from disgram.hosts.times import LeaseTimes
from disgram.hosts.units import Key, Unit, destination, worker
from disgram.postgres import connections
from disgram.postgres.database import PostgresDatabase
from disgram.postgres.notices import Notices

TIMES = LeaseTimes(lease=1.2, renew=0.2, margin=0.5, retry=0.05, gap=0.001)
"""A fiftieth of the real ones."""

_TURN = 0.01


def units_of_channels(channels: list[str]) -> dict[str, Unit]:
    """Each channel has a destination of its own."""
    made = (Unit(destination(name), 1.0, frozenset({("job", name)})) for name in channels)
    return {unit.name: unit for unit in made}


class Member:
    def __init__(
        self,
        url: str,
        name: str,
        folder: Path,
        channels: list[str],
        *,
        times: LeaseTimes = TIMES,
        account: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database = PostgresDatabase(url)
        self.taken_over: dict[str, float] = {}
        self.changes = 0
        self.processes: dict[Key, int] = {}
        self._channels = channels
        self._notices = Notices(url)
        self._ended = threading.Event()
        self.membership = Membership(
            self.database,
            name,
            new_incarnation(folder),
            hand_over=self.taken_over.update,
            on_change=self._changed,
            account=account,
            times=times,
            clock=clock,
        )
        self._threads = [threading.Thread(target=run) for run in (self._supervise, self._listen)]

    def start(self) -> Member:
        self.membership.join()
        self.membership.want(units_of_channels(self._channels))
        self.membership.start()
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """As on SIGTERM."""
        self.membership.drain()
        self._ended.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self.processes = {}
        self.membership.stop()
        self.crash()

    def crash(self) -> None:
        """Give nothing up."""
        self._ended.set()
        self.membership._stopping.set()
        self.membership._woken.set()
        for thread in (*self._threads, self.membership._thread):
            if thread and thread.is_alive():
                thread.join()
        self._notices.close()
        self.database.close()

    @property
    def runs(self) -> set[str]:
        return {channel for _, channel in self.processes}

    def write(self, key: Key) -> bool:
        """What stands before each request: a row of the ledger, under the lease, in time."""
        epoch = self.processes[key]
        if time.monotonic() >= self.membership.may_send_until():
            return False
        with self.database.transaction() as run:
            query = "SELECT 1 FROM lease WHERE name = ? AND epoch = ? FOR SHARE"
            if not run.execute(query, (worker(key), epoch)).fetchone():
                self.membership.wake()
                return False
            run.execute(
                "INSERT INTO written (channel, host, epoch) VALUES (?, ?, ?)",
                (key[1], self.membership.name, epoch),
            )
        return time.monotonic() < self.membership.may_send_until()

    def _changed(self) -> None:
        self.changes += 1

    def _supervise(self) -> None:
        while not self._ended.wait(_TURN):
            keys = {("job", name): destination(name) for name in self._channels}
            may = {key: self.membership.lease_of(key, unit) for key, unit in keys.items()}
            self.processes = {key: epoch for key, epoch in may.items() if epoch is not None}
            self.membership.turned(self.processes.keys)

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                if self._notices.wait(0.05):
                    self.membership.wake()
            except StorageUnavailable:
                self._ended.wait(0.05)


def main(url: str, name: str, folder: str, lease: str, *channels: str) -> None:
    """Write for all that may run, and tell of each turn: what runs, and for which channels it was written."""
    connections._SESSION_ENDS_SECONDS = (
        0.3  # a host may be frozen within a write, with the lease's row locked
    )
    times = replace(TIMES, lease=float(lease))
    member = Member(url, name, Path(folder), [*channels], times=times).start()
    while True:
        wrote = set[str]()
        for key in list(member.processes):
            with suppress(StorageUnavailable, KeyError):
                if member.write(key):
                    wrote.add(key[1])
        said = {"runs": sorted(member.runs), "wrote": sorted(wrote), "taken_over": member.taken_over}
        print(json.dumps(said | {"at": time.monotonic()}), flush=True)
        time.sleep(_TURN)


if __name__ == "__main__":
    main(*sys.argv[1:])
