"""Posts that a job's rules leave out: booked as `filtered` with the rule, and judged anew when they change.

Owns what a verdict does to the ledger. Never judges by itself (rules.py), never sends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from disgram.post import PostSlice, TelegramPost
from disgram.report import Level, Reporter
from disgram.rules.rules import Rules
from disgram.storage.channel_ledger import ChannelLedger, PostRow

FILTERED = "filtered"
"""State of a post in the ledger; its reason is the rule."""

PROTECTED = "content_protected"
"""The rule of the post's own author, who forbids forwarding it."""


class RuleVerdicts:
    """For one worker."""

    def __init__(
        self, rules: Rules, ledger: ChannelLedger, post_url: Callable[[int], str], *, report: Reporter
    ) -> None:
        self._rules = rules
        self._ledger = ledger
        self._post_url = post_url
        self._report = report

    def leave_out(self, post: TelegramPost, post_slice: PostSlice) -> bool:
        """Whether a rule leaves the post out; then it is dealt with. One that is half sent is completed."""
        rule = PROTECTED if post_slice.protected else self._rules.verdict(post)
        if rule is None or (rule != PROTECTED and self._half_sent(post.id)):
            return False
        self._book(post, post_slice.fingerprint, rule)
        why = ": its author forbids forwarding it" if rule == PROTECTED else f" by {rule.upper()}"
        text = f"{self._post_url(post.id)} is left out{why}"
        self._report(Level.INFO, text, last_post_id=post.last_id, counts={"posts filtered": 1})
        return True

    def _half_sent(self, post_id: int) -> bool:
        known = self._ledger.post(post_id)
        return bool(self._ledger.messages(post_id)) and not (known and known.state == FILTERED)

    def withdraw(
        self, post: TelegramPost, row: PostRow, fingerprint: str, withdraw: Callable[[int], None]
    ) -> bool:
        """Whether a rule leaves out a post that was sent and has been edited. Then `withdraw` deals with its
        messages, and it is booked under the id it has in the ledger. Raises what `withdraw` raises."""
        rule = self._rules.verdict(post)
        if rule is None:
            return False
        withdraw(row.post_id)
        self._ledger.leave_out(row._replace(state=FILTERED, fingerprint=fingerprint), rule)
        text = f"{post.url}: edited in Telegram, and now left out by {rule.upper()}"
        self._report(Level.INFO, text, counts={"posts filtered": 1})
        return True

    def judge_again(self, slices: Iterable[PostSlice], send: Callable[[PostSlice], None]) -> None:
        """`send` those posts of the newest page that were left out and have been edited since; it judges."""
        for post_slice in slices:
            row = self._ledger.post(post_slice.id)
            if row and row.state == FILTERED and row.fingerprint != post_slice.fingerprint:
                send(post_slice)

    def _book(self, post: TelegramPost, fingerprint: str, rule: str) -> None:
        row = PostRow(post.id, post.last_id, FILTERED, fingerprint, "")
        self._ledger.leave_out(row, rule)
