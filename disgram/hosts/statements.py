"""The SQL of the tables `host` and `lease`, for PostgreSQL alone. Never decides who should have what.

A host is valid while its row's `until` is ahead of the database's clock, the only clock that counts; each
start of a service is an incarnation of its own. A lease belongs to the incarnation that its row names, as
long as that one is valid. Leases of what may have been used by somebody before (destinations, the account)
keep their row when they are given up, with no holder; a worker's lease is deleted. Whatever changes a row
gives it a new epoch, greater than all before, so that (count, sum of epochs) tells whether anything changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from disgram.hosts.units import ACCOUNT, ALERTS, Key, worker
from disgram.postgres.fence import OF_JOB
from disgram.storage.engine import Statements

_VALID = "host.until > now()"
_OF_A_VALID_HOST = f"EXISTS (SELECT 1 FROM host WHERE host.incarnation = lease.holder AND {_VALID})"
_OURS_TO_SEE = f"(name LIKE 'destination:%' OR name IN ('{ACCOUNT}', '{ALERTS}') OR holder = :me)"


class HostRow(NamedTuple):
    """`lapsed`: seconds since its leases ended; negative while they last."""

    name: str
    incarnation: str
    until: datetime
    lapsed: float
    weight: float
    account: bool

    @property
    def valid(self) -> bool:
        return self.lapsed < 0


class LeaseRow(NamedTuple):
    """`holder`: an incarnation, valid or not; "" if it was given up."""

    name: str
    holder: str
    epoch: int


class HostStatements:
    """Over one transaction. `me`: the incarnation of this host."""

    def __init__(self, run: Statements, me: str) -> None:
        self._run, self._me = run, me

    # --- this host ---

    def register(self, name: str, lease: float, weight: float, account: bool, *, again: bool) -> bool:
        """Make the row of this name ours, valid for `lease` seconds, unless it is another's that is valid.

        `again`: also if it is valid, but of the same directory, whose service has ended; its leases are ours
        then, under new epochs.
        """
        directory = self._me.partition("/")[0]
        values = {"name": name, "me": self._me, "lease": lease, "weight": weight, "account": account}
        same = "split_part(host.incarnation, '/', 1) = :directory" if again else "FALSE"
        done = self._run.execute(
            "INSERT INTO host (name, incarnation, until, seen, weight, account) "
            "VALUES (:name, :me, now() + make_interval(secs => :lease), now(), :weight, :account) "
            "ON CONFLICT (name) DO UPDATE SET incarnation = excluded.incarnation, until = excluded.until, "
            "seen = excluded.seen, weight = excluded.weight, account = excluded.account "
            f"WHERE NOT {_VALID} OR {same}",
            {**values, "directory": directory},
        )
        if done.rowcount and again:
            self._run.execute(
                "UPDATE lease SET holder = :me, epoch = nextval('lease_epoch') "
                "WHERE split_part(holder, '/', 1) = :directory AND holder <> :me "
                f"AND NOT {_OF_A_VALID_HOST}",
                {"me": self._me, "directory": directory},
            )
        return done.rowcount > 0

    def renew(self, lease: float, weight: float, account: bool) -> bool:
        """Whether the row is still ours; then it is valid for `lease` seconds from now."""
        done = self._run.execute(
            "UPDATE host SET until = now() + make_interval(secs => :lease), seen = now(), "
            "weight = :weight, account = :account WHERE incarnation = :me",
            {"lease": lease, "weight": weight, "account": account, "me": self._me},
        )
        return done.rowcount > 0

    def leave(self) -> None:
        """The leases must have been given up."""
        self._run.execute("DELETE FROM host WHERE incarnation = :me", {"me": self._me})

    # --- what there is ---

    def hosts(self) -> tuple[HostRow, ...]:
        """By name, those that have been there within the last day."""
        found = self._run.execute(
            "SELECT name, incarnation, until, CAST(extract(epoch FROM now() - until) AS float8), weight, "
            "account FROM host WHERE until > now() - interval '1 day' ORDER BY name"
        )
        return tuple(HostRow(*row) for row in found)

    def forget_old_hosts(self) -> None:
        """Those that have not been there for a day, and the leases of workers that they or others left."""
        self._run.execute("DELETE FROM host WHERE until < now() - interval '1 day'")
        self._run.execute(
            "DELETE FROM lease WHERE name LIKE 'worker:%' "
            "AND NOT EXISTS (SELECT 1 FROM host WHERE host.incarnation = lease.holder)"
        )

    def stamp(self) -> tuple[int, int]:
        """Equal to that of before if no lease that `leases` gives has changed."""
        query = f"SELECT count(*), coalesce(sum(epoch), 0) FROM lease WHERE {_OURS_TO_SEE}"
        count, epochs = self._run.execute(query, {"me": self._me}).fetchone()
        return int(count), int(epochs)

    def leases(self) -> list[LeaseRow]:
        """All but those of other hosts' workers."""
        query = f"SELECT name, holder, epoch FROM lease WHERE {_OURS_TO_SEE}"
        return [LeaseRow(*row) for row in self._run.execute(query, {"me": self._me})]

    # --- claiming and giving up ---

    def claim(self, seen: Mapping[str, int | None]) -> dict[str, int]:
        """Take these leases, which were seen under these epochs (None: there was no row), as far as nobody
        else has or takes them: their new epochs. Nothing if this host is not valid any more."""
        known = {name: epoch for name, epoch in seen.items() if epoch is not None}
        new = sorted(seen.keys() - known.keys())
        me_valid = f"EXISTS (SELECT 1 FROM host WHERE incarnation = :me AND {_VALID})"
        # In the order of names, and never waiting: of two hosts that claim the same, none blocks the other.
        taken = self._run.execute(
            "WITH wanted AS (SELECT * FROM unnest(CAST(:names AS text[]), CAST(:epochs AS bigint[])) "
            "AS given (name, epoch)), "
            "free AS (SELECT lease.name FROM lease JOIN wanted USING (name, epoch) "
            f"WHERE NOT {_OF_A_VALID_HOST} AND {me_valid} "
            "ORDER BY lease.name FOR UPDATE OF lease SKIP LOCKED) "
            "UPDATE lease SET holder = :me, epoch = nextval('lease_epoch') FROM free "
            "WHERE lease.name = free.name RETURNING lease.name, lease.epoch",
            {"names": [*known], "epochs": [*known.values()], "me": self._me},
        )
        found = {str(name): int(epoch) for name, epoch in taken}
        made = self._run.execute(
            "INSERT INTO lease (name, holder, epoch) SELECT name, :me, nextval('lease_epoch') "
            f"FROM unnest(CAST(:names AS text[])) AS given (name) WHERE {me_valid} "
            "ORDER BY name ON CONFLICT (name) DO NOTHING RETURNING name, epoch",
            {"names": new, "me": self._me},
        )
        return found | {str(name): int(epoch) for name, epoch in made}

    def claim_workers(self, keys: Collection[Key]) -> dict[Key, int]:
        """The same for the workers' leases, whatever epochs they have; one that is ours already stays so."""
        names = {worker(key): key for key in keys}
        rows = self._run.execute(
            "SELECT name, holder, epoch FROM lease WHERE name = ANY(CAST(:names AS text[]))",
            {"names": [*names]},
        )
        there = {row.name: row for row in (LeaseRow(*row) for row in rows)}
        ours = {name: row.epoch for name, row in there.items() if row.holder == self._me}
        seen = {name: there[name].epoch if name in there else None for name in names.keys() - ours.keys()}
        return {names[name]: epoch for name, epoch in (ours | self.claim(seen)).items()}

    def give_up(self, names: Collection[str]) -> dict[str, int]:
        """Leases that another holder must know to have been somebody's: their epochs until then."""
        given_up = self._run.execute(
            "UPDATE lease SET holder = '', epoch = nextval('lease_epoch') "
            "WHERE name = ANY(CAST(:names AS text[])) AND holder = :me RETURNING name, epoch",
            {"names": [*names], "me": self._me},
        )
        return {str(name): int(epoch) for name, epoch in given_up}

    def give_up_workers(self, keys: Collection[Key]) -> None:
        """Their processes have ended."""
        self._run.execute(
            "DELETE FROM lease WHERE name = ANY(CAST(:names AS text[])) AND holder = :me",
            {"names": [worker(key) for key in keys], "me": self._me},
        )

    def give_up_all(self) -> None:
        """Everything has ended."""
        self._run.execute("DELETE FROM lease WHERE name LIKE 'worker:%' AND holder = :me", {"me": self._me})
        self._run.execute(
            "UPDATE lease SET holder = '', epoch = nextval('lease_epoch') WHERE holder = :me",
            {"me": self._me},
        )


def holder_of(run: Statements, lease: str) -> str | None:
    """The name of the valid host that has it."""
    found = run.execute(
        "SELECT host.name FROM lease JOIN host ON host.incarnation = lease.holder "
        f"WHERE lease.name = :lease AND {_VALID}",
        {"lease": lease},
    ).fetchone()
    return str(found[0]) if found else None


def last_epoch(run: Statements) -> int:
    """Leases claimed from now on have greater ones."""
    return int(run.execute("SELECT last_value FROM lease_epoch").fetchone()[0])


def hosts_of_job(run: Statements, job: str, epoch: int) -> list[str]:
    """The names of the valid hosts that have, or may still have, processes of this job under a lease of this
    epoch or an older one."""
    rows = run.execute(
        "SELECT DISTINCT host.name FROM lease JOIN host ON host.incarnation = lease.holder "
        f"WHERE {OF_JOB} AND lease.epoch <= :epoch AND {_VALID} ORDER BY host.name",
        {"prefix": worker((job, "")), "epoch": epoch},
    )
    return [str(name) for (name,) in rows]
