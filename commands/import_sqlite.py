"""`disgram import-sqlite`: jobs and progress move from DATA_DIR into DATABASE_URL, or back.

Whoever holds jobs and progress sends, so they are in one place: what was moved is set aside in DATA_DIR
(`.imported`), or deleted from the database, once the other side has it all. Owns the conditions, the order,
and what is said. A failure leaves the side that holds them as it was.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from config import SETTINGS, Settings
from disgram.errors import StartRefused, StorageUnavailable
from disgram.jobs.file import content_of, read_jobs
from disgram.jobs.job import Job
from disgram.own_process import make_folder
from disgram.report import counted
from disgram.storage.before_use import open_ledger, raise_if_any_is_newer
from disgram.storage.files.json_file import JsonFile
from disgram.storage.files.locks import LOCK_FILE, InstanceLock
from disgram.storage.ledger import Ledger
from disgram.storage.sqlite import remove_side_files
from hosting import import_log, require_driver

EXIT_REFUSED = 2


def main(arguments: Sequence[str], settings: Settings = SETTINGS) -> int:
    """0 once everything has moved; 2 if nothing has."""
    parser = argparse.ArgumentParser(
        prog="disgram import-sqlite",
        description="Move jobs and progress of DATA_DIR into the PostgreSQL database of DATABASE_URL.",
    )
    parser.add_argument("--back", action="store_true", help="move them from the database into DATA_DIR")
    back = parser.parse_args(list(arguments)).back
    try:
        make_folder(settings.data_dir)
        with InstanceLock(settings.data_dir / LOCK_FILE):
            raise_if_any_is_newer(settings.data_dir)
            print((_move_back if back else _move_in)(settings))
    except (StartRefused, StorageUnavailable) as error:
        print(f"disgram: {error}", file=sys.stderr)
        return EXIT_REFUSED
    return 0


def _move_in(settings: Settings) -> str:
    """What to print. Raises StartRefused and StorageUnavailable, and then nothing has changed."""
    transfer, database = _postgres(settings)
    file = JsonFile(settings.data_dir / "jobs.json")
    with closing(database), closing(open_ledger(settings.data_dir / "disgram.db")) as ledger:
        entries = read_jobs(file, settings.webhook_hosts, None) or {}
        import_log(ledger, settings, entries)
        jobs = content_of(entries, file.content)
        with ledger.database.reading() as run, database.long_transaction() as connection:
            if not jobs and not transfer.rows_in_file(run):
                raise StartRefused(f"There are no jobs and no progress in {settings.data_dir}.")
            if transfer.rows_in(connection):
                raise StartRefused(
                    "The database of DATABASE_URL holds jobs or progress already. Nothing was changed; "
                    "use an empty one."
                )
            counts = transfer.copy_in(run, connection)
            transfer.put_jobs(connection, jobs)
    return f"{_told(jobs, counts)} moved into the database.\n{_set_aside(settings.data_dir, file)}"


def _move_back(settings: Settings) -> str:
    """As _move_in."""
    transfer, database = _postgres(settings)
    file, moved = JsonFile(settings.data_dir / "jobs.json"), ""
    here = read_jobs(file, settings.webhook_hosts, None)
    try:
        with (
            closing(database),
            closing(open_ledger(settings.data_dir / "disgram.db")) as ledger,
            database.long_transaction() as connection,
        ):
            _refuse_running_hosts(connection)
            with ledger.database.reading() as run:
                if here or transfer.rows_in_file(run):
                    raise StartRefused(f"There are jobs or progress in {settings.data_dir}; move them away.")
            if not transfer.rows_in(connection):
                raise StartRefused("There are no jobs and no progress in the database of DATABASE_URL.")
            jobs = {name: _in_order(fields) for name, fields in transfer.jobs_in(connection).items()}
            with ledger.database.transaction() as run:
                counts = transfer.copy_out(connection, run)
            _write_jobs(file, jobs, ledger)
            moved = f"{_told(jobs, counts)} moved into {settings.data_dir}."
            transfer.delete_all(connection)
    except StorageUnavailable as error:
        if not moved:
            raise
        return f"{moved}\nThey could not be deleted from the database ({error}): start no service on it."
    return f"{moved}\nThe database of DATABASE_URL is empty now. Start the service without DATABASE_URL."


def _postgres(settings: Settings) -> tuple[Any, Any]:
    """The module of the copying, and the open database. Raises StartRefused and StorageUnavailable."""
    if not settings.database_url:
        raise StartRefused("DATABASE_URL is not set; it says which PostgreSQL database is meant.")
    require_driver()
    from disgram.postgres import transfer  # only here: it imports the driver
    from disgram.postgres.database import PostgresDatabase

    return transfer, PostgresDatabase(settings.database_url)


def _refuse_running_hosts(connection: Any) -> None:
    """None can begin to run until the transaction ends."""
    connection.execute("LOCK TABLE host IN SHARE ROW EXCLUSIVE MODE")
    running = connection.execute("SELECT name FROM host WHERE until > now() ORDER BY name").fetchall()
    if running:
        names = ", ".join(name for (name,) in running)
        raise StartRefused(f"These hosts run, or did within the last minute: {names}. Stop them first.")


def _write_jobs(file: JsonFile, jobs: dict[str, Any], ledger: Ledger) -> None:
    """Last: jobs without their progress would send again. Raises StorageUnavailable."""
    try:
        file.replace(jobs)
    except StorageUnavailable:
        from disgram.postgres.transfer import TABLES

        with ledger.database.transaction() as run:
            for table in TABLES:
                run.execute(f"DELETE FROM {table}")  # noqa: S608 - ours
        raise


def _in_order(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a job as jobs.json has them; PostgreSQL keeps no order."""
    return {name: fields[name] for name in Job.model_fields if name in fields} | fields


def _told(jobs: Mapping[str, Any], counts: Counter[str]) -> str:
    found = [
        counted(len(jobs), "job"),
        counted(counts["progress"], "channel"),
        counted(counts["post"], "post"),
    ]
    found += [counted(counts["message"], "message"), counted(counts["gap"], "gap")]
    left_out = counts["rows left out"]
    return ", ".join(found) + (f" ({counted(left_out, 'unreadable row')} left out)" if left_out else "")


def _set_aside(folder: Path, file: JsonFile) -> str:
    """What became of the old files: a start without DATABASE_URL would send again from them."""
    ledger, jobs = folder / "disgram.db", folder / "jobs.json"
    old_ledger, old_jobs = _free_name(ledger), _free_name(jobs)
    try:
        ledger.replace(old_ledger)
        remove_side_files(ledger)
        if jobs.exists():
            with os.fdopen(os.open(old_jobs, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
                copy.write(jobs.read_bytes())
            file.replace({})
    except (OSError, StorageUnavailable) as error:
        return f"The old files cannot be set aside ({error}): move disgram.db and jobs.json away by hand."
    return f"The old files are {old_ledger.name} and {old_jobs.name} in {folder} now. Start the service."


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.name}.imported{number or ''}") for number in count())
    return next(name for name in names if not name.exists())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
