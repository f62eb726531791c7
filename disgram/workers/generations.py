"""Generations of the desired workers, as Kubernetes has them for its objects.

Each change asks for a new generation, and the supervisor reports which one it has applied. So another
thread can wait until its change is applied and the processes of earlier generations are gone. Owns the
counting and the waiting.
"""

from __future__ import annotations

import threading


class Generations:
    """`request` and `wait_gone` may be called from any thread, the rest by the supervisor's alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requested = 0
        self._observed = 0.0
        self._live: tuple[tuple[str, int], ...] = ()

    def request(self) -> int:
        """The number of a new generation, which the supervisor has not begun to apply."""
        with self._changed:
            self._requested += 1
            return self._requested

    @property
    def requested(self) -> int:
        """The newest generation."""
        return self._requested

    def observe(self, generation: float, live: tuple[tuple[str, int], ...]) -> None:
        """This generation is applied. `live`: of each process, its job and the generation that started it."""
        with self._changed:
            self._observed, self._live = generation, live
            self._changed.notify_all()

    def wait_gone(self, job: str, generation: int, timeout: float) -> bool:
        """Wait until no process of the job is left from earlier generations; False after `timeout` s."""

        def gone() -> bool:
            left = any(job == name and started < generation for name, started in self._live)
            return self._observed >= generation and not left

        with self._changed:
            return self._changed.wait_for(gone, timeout)
