"""Records of Python's `logging`, and warnings, written into Disgram.log.

So the log has the errors of uvicorn, asyncio, libraries and our own API, one line each, with the traceback
in the same line. Standard error gets the beginning of each line that is written, and nothing else of a
record: a traceback may contain secrets, and a caller may cause thousands. Owns the form of these lines and
the thread that writes them: a caller (the event loop) never waits for the disk, and a record made while the
log is being written causes no deadlock.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator

from disgram.logs.flood_limit import FloodLimit
from disgram.logs.log_file import LogFile, cut, cut_middle, mask, one_line, short
from disgram.logs.stderr import warn_stderr
from disgram.report import Level

LONGEST_RECORD = 6_000
"""Characters, traceback included; what is cut is in the middle."""
_MAX_QUEUED = 1_000
"""Records that wait for a slow disk; more are dropped."""
_CLOSE_WITHIN = 2.0
"""Seconds for what is still queued at the end."""


class LogFileHandler(logging.Handler):
    """Writes records from WARNING up: errors as ERROR, warnings as STATUS. An exception that several
    loggers report is written once. Close it to write what is queued; `clock` is monotonic."""

    def __init__(self, log: LogFile, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._clock = clock
        self._limit = FloodLimit()
        # SimpleQueue can be used again by the same thread in the middle of a `put` (a finaliser that logs).
        self._queue: queue.SimpleQueue[tuple[Level, str] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Called by `logging`. Never raises, never waits."""
        level = Level.ERROR if record.levelno >= logging.ERROR else Level.STATUS
        try:
            if self._queue.qsize() < _MAX_QUEUED and not _reported_by_another(record):
                self._queue.put((level, cut_middle(self._log.mask(_text(record)), LONGEST_RECORD)))
        except Exception as error:  # noqa: BLE001 - the arguments do not fit the message
            text = f"{record.name}: a record that cannot be written: {error}"
            self._queue.put((level, cut_middle(self._log.mask(text), LONGEST_RECORD)))

    def close(self) -> None:
        """Write what is queued, for two seconds at most. Idempotent."""
        self._queue.put(None)
        self._thread.join(_CLOSE_WITHIN)
        super().close()

    def _run(self) -> None:
        going_on = True
        while going_on:
            try:
                item = self._queue.get(timeout=self._seconds_left())
            except queue.Empty:
                self._write_summaries()
                continue
            if self._seconds_left() == 0.0:
                self._write_summaries()
            if item and self._limit.admit(*item, self._clock()):
                self._log.warn(*item)
            going_on = item is not None
        self._write_summaries()

    def _seconds_left(self) -> float | None:
        """Until the limit's window ends; None if there is none."""
        ends_at = self._limit.ends_at
        return None if ends_at is None else max(0.0, ends_at - self._clock())

    def _write_summaries(self) -> None:
        for level, text in self._limit.summaries():
            self._log.warn(level, text)


class MaskedStderr(logging.Handler):
    """For `logging.lastResort`, where no Disgram.log is open: the same short line on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Called by `logging`. Never raises."""
        with contextlib.suppress(Exception):  # the arguments do not fit the message
            warn_stderr(cut(one_line(short(mask(_text(record))))))


def _reported_by_another(record: logging.LogRecord) -> bool:
    """Whether another logger has reported this exception: the API does, and passes it on to uvicorn."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return False
    first = vars(error).setdefault("_disgram_logged_by", record.name)
    return bool(first != record.name)


def _text(record: logging.LogRecord) -> str:
    """`logger: message`, and the traceback behind it."""
    parts = [f"{record.name}: {record.getMessage().strip()}"]
    if record.exc_info and record.exc_info[1]:
        parts.append(logging.Formatter().formatException(record.exc_info))
    return "\n".join(parts)


@contextlib.contextmanager
def logging_into(log: LogFile) -> Iterator[None]:
    """Until the end of the block, the log gets what loggers, warnings and crashing threads report.

    Handlers that print on standard error, such as uvicorn's own, print no warning and no error meanwhile.
    """
    printing = _printing_on_stderr()
    handler = LogFileHandler(log)
    loggers = _outermost_loggers()
    for printer in printing:
        printer.addFilter(_below_warning)
    for logger in loggers:
        logger.addHandler(handler)
    excepthook, threading.excepthook = threading.excepthook, _logged(threading.excepthook)
    unraisablehook, sys.unraisablehook = sys.unraisablehook, _logged_unraisable(sys.unraisablehook)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        threading.excepthook, sys.unraisablehook = excepthook, unraisablehook
        for logger in loggers:
            logger.removeHandler(handler)
        for printer in printing:
            printer.removeFilter(_below_warning)
        handler.close()


def _loggers() -> list[logging.Logger]:
    known = list(logging.root.manager.loggerDict.values())
    return [logging.root, *(one for one in known if isinstance(one, logging.Logger))]


def _outermost_loggers() -> list[logging.Logger]:
    """Every record reaches exactly one of them: the root, or a logger that passes nothing on (uvicorn's)."""
    return [logger for logger in _loggers() if logger is logging.root or not logger.propagate]


def _printing_on_stderr() -> set[logging.Handler]:
    streams = (sys.stderr, sys.__stderr__)
    handlers = {handler for logger in _loggers() for handler in logger.handlers}
    return {one for one in handlers if isinstance(one, logging.StreamHandler) and one.stream in streams}


def _below_warning(record: logging.LogRecord) -> bool:
    return record.levelno < logging.WARNING


def _logged(
    excepthook: Callable[[threading.ExceptHookArgs], object],
) -> Callable[[threading.ExceptHookArgs], None]:
    def log_and_pass_on(args: threading.ExceptHookArgs) -> None:
        if args.exc_value and not isinstance(args.exc_value, SystemExit):
            name = args.thread.name if args.thread else "unknown"
            logging.getLogger("disgram").error("Thread %r crashed", name, exc_info=args.exc_value)
        if excepthook is not threading.__excepthook__:  # that one prints the whole traceback
            excepthook(args)

    return log_and_pass_on


def _logged_unraisable(
    hook: Callable[[sys.UnraisableHookArgs], object],
) -> Callable[[sys.UnraisableHookArgs], None]:
    """For exceptions that nothing can catch, such as those of finalisers."""

    def log_and_pass_on(args: sys.UnraisableHookArgs) -> None:
        message = args.err_msg or "An exception could not be raised"
        logging.getLogger("disgram").error("%s", message, exc_info=args.exc_value or True)
        if hook is not sys.__unraisablehook__:
            hook(args)

    return log_and_pass_on
