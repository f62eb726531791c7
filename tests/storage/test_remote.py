"""ledger.sock: a worker's calls in order, its lease, and whether its host may send; and a service that is
away."""

from __future__ import annotations

import json
import math
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from disgram.errors import LeaseLost, Stopping, StorageUnavailable
from disgram.post import PostSlice
from disgram.report import CountingReporter
from disgram.storage.channel_ledger import ChannelLedger, LastPost, MessageRow, Progress
from disgram.storage.channel_source import Source
from disgram.storage.destinations import GoneRow
from disgram.storage.files.unix_socket import connected
from disgram.storage.ledger import Ledger
from disgram.storage.missing_posts import MissingPost
from disgram.storage.remote import client as remote_client
from disgram.storage.remote.client import RemoteLedger
from disgram.storage.remote.server import OLDEST_CALL, LedgerServer
from disgram.storage.remote.wire import SOCKET, from_wire, line, to_wire
from disgram.workers.forkserver_process import worker_modules
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import Lease, WorkerSettings, WorkerSpec
from tests.storage.conftest import sent
from tests.workers.specs import spec_of
from worker_parts import worker_parts

ATTEMPTING = MessageRow(0, "attempting")


class Service:
    """The service's side over a SQLite file. `before` runs in a thread, before each call is made."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / SOCKET
        self.now = 1000.0
        self.may_send_until = math.inf
        self.lost: list[tuple[str, str, int]] = []
        self.before: Callable[[], object] = lambda: None
        self.opened: list[tuple[str, str, int]] = []
        self.ledger = Ledger(folder / "disgram.db")
        self.server = LedgerServer(
            self.path, self._open, lambda: self.may_send_until, lambda *lost: self.lost.append(lost),
            clock=lambda: self.now,
        )  # fmt: skip

    def _open(self, job: str, channel: str, epoch: int) -> ChannelLedger:
        self.before()
        self.opened.append((job, channel, epoch))
        return self.ledger.of(job, channel)

    def worker(self, epoch: int = 7) -> RemoteLedger:
        return RemoteLedger(self.path, epoch, lambda: self.now)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    made.server.start()
    yield made
    made.server.stop()
    made.ledger.close()


@pytest.fixture
def worker(service: Service) -> Iterator[RemoteLedger]:
    with closing(service.worker()) as made:
        yield made


@pytest.mark.parametrize(
    "value",
    [
        None, 7, 1.5, True, "text \U0001f600 \x00", [1, [2]], (1, 2), [(1, 2)],
        {5: MissingPost(1.0, "missing")}, Progress(1, None),
        sent(5), MessageRow(0, "sent", payload='{"a": 1}'), GoneRow("1", "x", 1, 2.5),
        LastPost(1, 2.0), Source(2**40, None, True), [MessageRow(0, "sent")],
    ],
)  # fmt: skip
def test_value_comes_over_the_socket_as_it_was(value: object) -> None:
    found = from_wire(json.loads(line({"it": to_wire(value)}))["it"])
    assert found == value
    assert type(found) is type(value)


def test_what_no_call_takes_does_not_go_over_the_socket() -> None:
    with pytest.raises(TypeError, match="PostSlice"):
        to_wire(PostSlice(1, (1,), "", "print"))


def test_call_names_its_worker_and_epoch(service: Service, worker: RemoteLedger) -> None:
    worker.of("a job", "Channel").begin(4, None)
    assert service.opened == [("a job", "channel", 7)]
    assert service.ledger.of("a job", "channel").progress() == (4, None)


def test_method_that_is_no_call_is_unknown(worker: RemoteLedger) -> None:
    rows = worker.of("job", "c")
    for name in ("close", "_database", "transaction"):
        with pytest.raises(AttributeError):
            getattr(rows, name)


def test_page_without_new_posts_makes_no_call(service: Service, worker: RemoteLedger) -> None:
    history = worker.of("job", "c").history
    for _ in range(3):
        history.seen([PostSlice(5, (5, 6), "", "print")], 4)
    assert len(service.opened) == 1


def test_only_the_owner_may_connect_and_the_path_may_be_long(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("longer" * 20)
    folder.mkdir(parents=True)
    service = Service(folder)
    service.server.start()
    assert stat.S_IMODE(service.path.stat().st_mode) == 0o600
    with closing(service.worker()) as worker:
        assert worker.of("job", "c").progress() is None
    service.server.stop()
    assert not service.path.exists()


# --- the lease ------------------------------------------------------------------------------------------


def test_worker_whose_lease_is_lost_asks_and_writes_nothing_more(
    service: Service, worker: RemoteLedger
) -> None:
    def refuse() -> None:
        raise LeaseLost("another host has taken over worker:job/c")

    service.before = refuse
    rows = worker.of("job", "c")
    with pytest.raises(LeaseLost, match="another host"):
        rows.advance(5)
    service.before = lambda: None
    for ask in (rows.progress, rows.gaps, lambda: worker.check_may_send("job", "c")):
        with pytest.raises(LeaseLost, match="another host"):
            ask()
    assert service.lost == [("job", "c", 7)]
    assert issubclass(LeaseLost, Stopping)


def test_attempt_is_not_written_once_the_host_may_not_send(service: Service, worker: RemoteLedger) -> None:
    rows = worker.of("job", "c")
    service.may_send_until = service.now
    with pytest.raises(StorageUnavailable, match="could not renew its leases"):
        rows.put_message(5, ATTEMPTING)
    assert rows.messages(5) == []
    rows.put_message(5, MessageRow(0, "sent"))
    assert [row.state for row in rows.messages(5)] == ["sent"]
    service.may_send_until = service.now + 30
    rows.put_message(6, ATTEMPTING)
    assert [row.state for row in rows.messages(6)] == ["attempting"]


def test_permission_to_send_is_asked_again_only_once_it_has_ended(
    service: Service, worker: RemoteLedger
) -> None:
    rows = worker.of("job", "c")
    service.may_send_until = service.now + 30
    rows.put_message(5, ATTEMPTING)
    service.may_send_until = service.now + 45
    service.now += 29
    worker.check_may_send("job", "c")
    service.now += 10
    worker.check_may_send("job", "c")
    service.now += 10
    with pytest.raises(StorageUnavailable, match="could not renew"):
        worker.check_may_send("job", "c")


# --- calls in order -------------------------------------------------------------------------------------


@contextmanager
def all_threads_busy(service: Service) -> Iterator[None]:
    entered, leave = threading.Semaphore(0), threading.Event()

    def hold() -> None:
        entered.release()
        leave.wait(10)

    def ask(name: str) -> None:
        with closing(service.worker()) as worker:
            worker.of("busy", name).progress()

    service.before = hold
    threads = [threading.Thread(target=ask, args=(f"c{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert entered.acquire(timeout=10)
    service.before = lambda: None
    yield
    leave.set()
    for thread in threads:
        thread.join()


def until_all_was_read(service: Service) -> None:
    """What was written or closed before: a new connection is answered after it."""
    with closing(service.worker()) as worker:
        worker.check_may_send("job", "c")


def test_call_that_was_given_up_before_it_began_is_not_made(service: Service, worker: RemoteLedger) -> None:
    with all_threads_busy(service):
        with closing(connected(service.path, 5)) as impatient:
            impatient.sendall(call_of("put_message", 5, ATTEMPTING))
            until_all_was_read(service)
        until_all_was_read(service)
    assert worker.of("job", "late").messages(5) == []
    assert service.opened[-1] == ("job", "late", 7)


def call_of(name: str, *args: object) -> bytes:
    told = {"job": "job", "channel": "late", "epoch": 7, "call": name, "named": {}}
    return line(told | {"args": to_wire([*args])})


def test_call_that_has_begun_ends_before_the_next_of_its_worker(
    service: Service, worker: RemoteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that has waited too long connects anew; its old row must not come after the newer one."""
    monkeypatch.setattr(remote_client, "ANSWER_SECONDS", 0.05)
    began, leave = threading.Event(), threading.Event()

    def hold() -> None:
        service.before = lambda: None
        began.set()
        leave.wait(10)

    service.before = hold
    rows = worker.of("job", "late")
    with pytest.raises(StorageUnavailable, match="has not answered in time"):
        rows.put_message(5, ATTEMPTING)
    assert began.is_set()
    monkeypatch.setattr(remote_client, "ANSWER_SECONDS", 10)
    threading.Timer(0.05, leave.set).start()
    rows.put_message(5, MessageRow(0, "sent"))
    assert [row.state for row in rows.messages(5)] == ["sent"]


def test_call_that_waited_long_for_a_thread_fails_and_is_not_made(
    service: Service, worker: RemoteLedger
) -> None:
    with closing(connected(service.path, 5)) as waiting:
        with all_threads_busy(service):
            waiting.sendall(call_of("begin", 1, None))
            until_all_was_read(service)
            service.now += OLDEST_CALL + 1
        assert "too slow" in json.loads(waiting.recv(1000))["message"]
    assert worker.of("job", "late").progress() is None


# --- a service that is away, and odd callers ------------------------------------------------------------


def test_service_that_is_away_is_an_error_until_it_is_back(tmp_path: Path) -> None:
    first = Service(tmp_path)
    with closing(first.worker()) as worker:
        rows = worker.of("job", "c")
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            rows.progress()
        first.server.start()
        rows.begin(4, None)
        first.server.stop()
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            rows.progress()
        second = Service(tmp_path)
        second.server.start()
        assert rows.progress() == (4, None)
        second.server.stop()


def test_storage_error_of_the_service_is_the_worker_s(service: Service, worker: RemoteLedger) -> None:
    def fail() -> None:
        raise StorageUnavailable("PostgreSQL: connection refused")

    service.before = fail
    with pytest.raises(StorageUnavailable, match="PostgreSQL: connection refused"):
        worker.of("job", "c").progress()
    service.before = lambda: None
    assert worker.of("job", "c").progress() is None


def test_unexpected_error_of_a_call_is_no_storage_error(
    service: Service, worker: RemoteLedger, caplog: pytest.LogCaptureFixture
) -> None:
    """It would be tried again for ever."""

    def fail() -> None:
        raise ZeroDivisionError("by nothing")

    service.before = fail
    with pytest.raises(RuntimeError, match="ZeroDivisionError: by nothing"):
        worker.of("job", "c").progress()
    assert "A worker's call of the ledger failed" in caplog.text


@pytest.mark.parametrize(
    "asked",
    [b"\xff\n", b"[]\n", b"{}\n", call_of("delete_job"), call_of("history.seen"), call_of("source.missing")],
)
def test_what_is_no_call_gets_an_error_and_the_next_is_answered(service: Service, asked: bytes) -> None:
    with closing(connected(service.path, 5)) as odd:
        answers = odd.makefile("rb")
        odd.sendall(asked + call_of("progress"))
        assert json.loads(answers.readline())["error"] == "Failed"
        assert json.loads(answers.readline())["result"] is None
        answers.close()


def test_two_hundred_workers_are_answered_at_once(service: Service) -> None:
    with ExitStack() as stack:
        workers = [stack.enter_context(closing(service.worker())) for _ in range(200)]
        for number, worker in enumerate(workers):
            worker.of("job", f"c{number}").begin(number, None)
        for number, worker in enumerate(workers):
            rows = worker.of("job", f"c{number}")
            rows.put_message(5, ATTEMPTING)
            assert rows.progress() == (number, None)


# --- the worker -----------------------------------------------------------------------------------------


def test_worker_with_a_lease_has_its_rows_behind_the_socket(service: Service, tmp_path: Path) -> None:
    spec = replace(spec_of("C"), settings=WorkerSettings(tmp_path), lease=Lease(9))
    spec = WorkerSpec.from_wire(json.loads(json.dumps(spec.to_wire())))
    assert spec.lease == Lease(9)
    (tmp_path / "disgram.db").rename(tmp_path / "of the service.db")
    with ExitStack() as stack:
        report = CountingReporter(lambda level, text, **facts: None)
        parts = worker_parts(spec, report, Heartbeat(), stack)
        parts.ledger.begin(4, None)
    assert service.opened == [("job", "c", 9)]
    assert not (tmp_path / "disgram.db").exists()


def test_fork_server_loads_the_socket_s_client_only_where_workers_need_it() -> None:
    assert worker_modules(several_hosts=False) == ["webhook", "threadhook"]
    assert remote_client.__name__ in worker_modules(several_hosts=True)
