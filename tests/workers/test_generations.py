"""`wait_gone` returns only after the caller's change was applied and the older processes are gone."""

from __future__ import annotations

import threading

from disgram.workers.generations import Generations


def test_generation_before_the_change_does_not_end_the_wait() -> None:
    generations = Generations()
    earlier = generations.requested
    changed = generations.request()
    generations.observe(earlier, ())
    assert not generations.wait_gone("job", changed, timeout=0)
    generations.observe(changed, ())
    assert generations.wait_gone("job", changed, timeout=0)


def test_only_older_processes_of_the_same_job_prolong_the_wait() -> None:
    generations = Generations()
    changed = generations.request()
    generations.observe(changed, (("job", changed - 1),))
    assert not generations.wait_gone("job", changed, timeout=0)
    generations.observe(changed, (("other", changed - 1), ("job", changed)))
    assert generations.wait_gone("job", changed, timeout=0)


def test_waiting_thread_is_woken_when_its_generation_is_observed() -> None:
    generations = Generations()
    changed = generations.request()
    observer = threading.Timer(0.02, generations.observe, (changed, ()))
    observer.start()
    assert generations.wait_gone("job", changed, timeout=60)
    observer.join()
