"""The text of a scrape is what Prometheus' own client makes of the same metrics."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from disgram.metrics.families import Known, families
from disgram.metrics.text_format import text_of
from disgram.metrics.totals import NO_DELIVERIES


class Given(Collector):
    def __init__(self, *metrics: Metric) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\\"\n{},= '), max_size=20)
NUMBER = st.floats() | st.integers(-(10**18), 10**18).map(float)


@given(TEXT, st.lists(st.tuples(TEXT, TEXT, NUMBER), max_size=5))
def test_any_labels_and_values_are_written_as_the_client_writes_them(
    text: str, rows: list[tuple[str, str, float]]
) -> None:
    gauge = GaugeMetricFamily("disgram_a", text, labels=("disgram_job", "channel"))
    counter = CounterMetricFamily("disgram_b", text, labels=("z", "a"))
    for job, channel, number in rows:
        gauge.add_metric((job, channel), number)
        counter.add_metric((job, channel), number)
    assert text_of([gauge, counter]) == generate_latest(Given(gauge, counter))


def test_all_metrics_are_written_as_the_client_writes_them() -> None:
    known = Known("3.1.0", ["a", 'b"'], deliveries=NO_DELIVERIES.added(3.0).added(7e6), invalid_requests=3)
    assert text_of(families(known)) == generate_latest(Given(*families(known)))


def test_half_a_character_breaks_no_scrape() -> None:
    gauge = GaugeMetricFamily("disgram_a", "words", labels=("disgram_job",))
    gauge.add_metric(("\ud800",), 1)
    (family,) = text_string_to_metric_families(text_of([gauge]).decode())
    assert family.samples[0].labels == {"disgram_job": "?"}
