"""Who waits for a job's processes to go is not told so by a look that began before his change."""

from __future__ import annotations

import threading

from disgram.workers.generations import Generations


def test_a_look_that_began_before_the_change_proves_nothing() -> None:
    looks = Generations()
    earlier = looks.asked
    look = looks.ask()
    looks.done(earlier, ())
    assert not looks.wait_gone("job", look, timeout=0)
    looks.done(looks.asked, ())
    assert looks.wait_gone("job", look, timeout=0)


def test_only_the_jobs_own_earlier_processes_count() -> None:
    looks = Generations()
    look = looks.ask()
    looks.done(look, (("job", look - 1),))
    assert not looks.wait_gone("job", look, timeout=0)
    looks.done(look, (("other", look - 1), ("job", look)))
    assert looks.wait_gone("job", look, timeout=0)


def test_a_waiter_is_woken() -> None:
    looks = Generations()
    look = looks.ask()
    threading.Timer(0.02, looks.done, (look, ())).start()
    assert looks.wait_gone("job", look, timeout=60)
