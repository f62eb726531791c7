"""How many posts a channel has in Telegram that are not in Discord yet, as far as its newest page tells.

Pure: reads no page and knows no ledger.
"""

from __future__ import annotations

from disgram.post import ChannelPage


def waiting_facts(head: ChannelPage, progress: int) -> dict[str, int]:
    """What a worker reports after its newest page `head` was read, and after each post that is done with.

    Posts of that page are counted. Of older ones only the numbers are known, and some of them may have no
    post: there `waiting` is the most there can be.
    """
    if not head.slices:
        return {"waiting": 0}
    shown = sum(post.last_id > progress for post in head.slices)
    older = max(0, head.slices[0].id - 1 - progress)
    return {"newest_post_id": head.slices[-1].last_id, "waiting": shown + older}
