"""A cluster for each test, over a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.hosts.cluster import Cluster, clustered


@pytest.fixture
def cluster(tmp_path: Path, postgres_url: str) -> Iterator[Cluster]:
    with clustered(tmp_path, postgres_url) as one:
        yield one
