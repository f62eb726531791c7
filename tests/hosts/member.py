"""A host with a thread that does what its supervisor would: it starts what it may, and ends what it may not.

Used by tests in this process, and run as a process of its own that can be frozen and killed:
`python -m tests.hosts.member URL NAME DIRECTORY CHANNEL…` prints a line of JSON whenever something changed.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from disgram.errors import StorageUnavailable
from disgram.hosts.identity import new_incarnation
from disgram.hosts.membership import Membership
from disgram.hosts.times import LeaseTimes
from disgram.hosts.units import Key, Unit, destination, worker
from disgram.postgres.database import PostgresDatabase
from disgram.postgres.notices import Notices

TIMES = LeaseTimes(lease=1.2, renew=0.2, margin=0.5, window=0.3, retry=0.05, gap=0.001)
"""A fiftieth of the real ones."""

_TURN = 0.01


def units_of_channels(channels: list[str]) -> dict[str, Unit]:
    """Each channel has a destination of its own."""
    made = (Unit(destination(name), 1.0, frozenset({("job", name)})) for name in channels)
    return {unit.name: unit for unit in made}


class Member:
    """`tells`: whether it hears the notices of other hosts."""

    def __init__(
        self,
        url: str,
        name: str,
        folder: Path,
        channels: list[str],
        *,
        times: LeaseTimes = TIMES,
        account: bool = False,
    ) -> None:
        self.database = PostgresDatabase(url)
        self.held_back: dict[str, float] = {}
        self.changes = 0
        self.processes: dict[Key, int] = {}
        self.wrote: list[tuple[float, Key]] = []
        self._channels = channels
        self._notices = Notices(url)
        self._ended = threading.Event()
        self.membership = Membership(
            self.database,
            name,
            new_incarnation(folder),
            hold=self.held_back.__setitem__,
            on_change=self._changed,
            account=account,
            times=times,
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
                self.membership.lost(*key, epoch)
                return False
            run.execute(
                "INSERT INTO guild (webhook_id, guild_id) VALUES (?, ?)",
                (f"{key[1]}-{self.membership.name}-{time.monotonic_ns()}", self.membership.name),
            )
        return True

    def _changed(self) -> None:
        self.changes += 1

    def _supervise(self) -> None:
        while not self._ended.wait(_TURN):
            may = {("job", name): self.membership.lease_of("job", name) for name in self._channels}
            self.processes = {key: epoch for key, epoch in may.items() if epoch is not None}
            self.membership.turned(self.processes.keys)

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                if self._notices.wait(0.05):
                    self.membership.wake()
            except StorageUnavailable:
                self._ended.wait(0.05)


def main(url: str, name: str, folder: str, *channels: str) -> None:
    """Report until it is killed: what it runs, and for which channels a write was made or refused."""
    member = Member(url, name, Path(folder), [*channels]).start()
    while True:
        made, refused = set[str](), set[str]()
        for key in list(member.processes):
            try:
                (made if member.write(key) else refused).add(key[1])
            except (StorageUnavailable, KeyError):
                refused.add(key[1])
        said = {
            "at": time.monotonic(),
            "runs": sorted(member.runs),
            "made": sorted(made),
            "refused": sorted(refused),
            "until": member.membership.may_send_until(),
            "problem": member.membership.problem,
            "held_back": member.held_back,
        }
        print(json.dumps(said), flush=True)
        time.sleep(0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
