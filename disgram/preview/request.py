"""What the process that makes a preview is asked for, as the line of JSON it is told. No I/O."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from disgram.addresses import ChannelRef
from disgram.rules.texts import NO_RULES, RuleTexts
from disgram.workers.spec import WorkerSettings


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """`channel.start`: only this post. `color`: 0xRRGGBB, None for the channel's own. `job` and `webhook_id`:
    whose messages replies lead to. `rules`: the job's."""

    channel: ChannelRef
    color: int | None
    settings: WorkerSettings
    job: str | None = None
    webhook_id: str = ""
    rules: RuleTexts = NO_RULES

    def encode(self) -> bytes:
        body = asdict(self) | {"settings": self.settings.to_wire()}
        return json.dumps(body).encode() + b"\n"

    @classmethod
    def decode(cls, line: str) -> PreviewRequest:
        body = json.loads(line)
        known: dict[str, Any] = {
            "channel": ChannelRef(**body["channel"]),
            "settings": WorkerSettings.from_wire(body["settings"]),
        }
        known["rules"] = RuleTexts(**body["rules"])
        return cls(**{**body, **known})
