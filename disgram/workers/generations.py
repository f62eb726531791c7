"""The supervisor's looks at the wanted workers, numbered.

Owns the answer to one question of other threads: has a look that began after my change been done, and are
the processes gone that earlier ones started? Never looks or acts itself.
"""

from __future__ import annotations

import threading


class Generations:
    """Each look has a number; `ask` and `wait_gone` may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asked = 0
        self._done = 0.0
        self._live: tuple[tuple[str, int], ...] = ()

    def ask(self) -> int:
        """The number of a look that will not have begun before now."""
        with self._changed:
            self._asked += 1
            return self._asked

    @property
    def asked(self) -> int:
        return self._asked

    def done(self, look: float, live: tuple[tuple[str, int], ...]) -> None:
        """`live`: of each process, its job and the look that started it."""
        with self._changed:
            self._done, self._live = look, live
            self._changed.notify_all()

    def wait_gone(self, job: str, look: int, timeout: float) -> bool:
        """Until no process of the job is left that an earlier look started."""

        def gone() -> bool:
            return self._done >= look and not any(job == name and begun < look for name, begun in self._live)

        with self._changed:
            return self._changed.wait_for(gone, timeout)
