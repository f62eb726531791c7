"""Which way to Telegram is opened, and that several addresses cost nothing who has none."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from disgram.storage.rate_limits import LimitStore
from disgram.telegram.egress.direct import DirectEgress, open_egress
from disgram.telegram.egress.known import egress_states
from disgram.telegram.egress.several import SeveralAddresses

ROOT = Path(__file__).resolve().parents[3]

PROBE = """
import sys, time, pathlib, tempfile
import webhook, threadhook, config, service, main
from disgram.storage.rate_limits import LimitStore
from disgram.telegram.egress.direct import open_egress
from disgram.telegram.egress.known import egress_states
with tempfile.TemporaryDirectory() as folder:
    store = LimitStore(pathlib.Path(folder) / "limits.db")
    open_egress(store, 2.0, time.sleep, channel="news").close()
    assert egress_states(store, ()) is None
    store.close()
rooms = "disgram.telegram.egress.", "disgram.http.one"
print(sorted(name for name in sys.modules if name.startswith(rooms)))
"""


def test_nothing_is_loaded_without_addresses() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {f"disgram.telegram.egress.{name}" for name in ("direct", "known", "throttle")}
    assert done.stdout.strip() == str(sorted(loaded))


def test_addresses_decide_which_way_is_opened(tmp_path: Path) -> None:
    with closing(LimitStore(tmp_path / "limits.db")) as store:
        assert isinstance(open_egress(store, 2.0, lambda _: None), DirectEgress)
        several = open_egress(
            store, 2.0, lambda _: None, channel="news", addresses=("127.0.0.2", "127.0.0.3")
        )
        assert isinstance(several, SeveralAddresses)
        states = egress_states(store, ("127.0.0.2", "127.0.0.3"))
        assert states
        assert [one.channels for one in states(["news"])].count(1) == 1
        several.close()
