"""What Disgram.log shows as forwarded becomes progress, so that neither an upgrade nor going back to an older
Disgram for a while repeats or loses posts.

Owns the SQL of `imported_progress` and `log_position`, and which job a line of the log serves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from disgram.storage.engine import Engine
from disgram.storage.old_log.lines import Highest, LogPosition, forwarded_since

_IMPORT = (
    "INSERT INTO imported_progress (job, channel, last_id) VALUES (:job, :channel, :last_id) "
    "ON CONFLICT (job, channel) DO UPDATE SET last_id = excluded.last_id "
    "WHERE imported_progress.last_id < excluded.last_id"
)
_LIFT_PROGRESS = (
    "UPDATE progress SET last_id = :last_id WHERE job = :job AND channel = :channel AND last_id < :last_id"
)


def import_log(
    database: Engine, log: Path, jobs: Mapping[str, Collection[str]], spelling: Callable[[str], str]
) -> int:
    """Returns for how many channels of jobs the log says something.

    The first time every line counts, for channels without progress; later only lines that a Disgram without
    a database has written since. `jobs`: the channels (in lower case) of each job there is now: one that is
    created later begins where it says. `spelling`: how a line of ours names a job. Raises OSError and
    StorageUnavailable; then nothing was taken over, and the next call does it.
    """
    known = _position(database)
    highest, position = forwarded_since(log, known)
    with database.transaction() as run:
        if known is None:  # `imported` is where versions before this one kept what they had read
            rows = run.execute("SELECT channel, last_id FROM imported").fetchall()
            highest = {(None, channel): last_id for channel, last_id in rows} | dict(highest)
            run.execute("DELETE FROM imported")
        taken = list(_for_jobs(highest, jobs, spelling))
        run.executemany(_IMPORT, taken)
        if known is not None:
            run.executemany(_LIFT_PROGRESS, taken)
        run.execute("DELETE FROM log_position")
        run.execute(
            "INSERT INTO log_position (read_to, before) VALUES (:offset, :before)", position._asdict()
        )
    return len(taken)


def _position(database: Engine) -> LogPosition | None:
    with database.reading() as run:
        row = run.execute("SELECT read_to, before FROM log_position").fetchone()
    return LogPosition(*row) if row else None


def _for_jobs(
    highest: Highest, jobs: Mapping[str, Collection[str]], spelling: Callable[[str], str]
) -> Iterator[dict[str, object]]:
    """What each job's own lines say of its channels; where none does, the lines that name no job."""
    for job, channels in jobs.items():
        for channel in channels:
            own = [highest.get((name, channel), 0) for name in {job, spelling(job)}]
            last_id = max(own) or highest.get((None, channel), 0)
            if last_id:
                yield {"job": job, "channel": channel, "last_id": last_id}
