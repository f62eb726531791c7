"""The tables of `disgram.db` and `limits.db`, as numbered migrations.

Each list is append-only: migration N brings a file from `PRAGMA user_version` N - 1 to N, and one that
was released is never edited. Owns the tables and their columns; never reads or writes a row of a running
service.

Version 0 has no tables or those of a Disgram older than 3.0.0, and 3.0.0 itself wrote a checksum of its
schema where the version stands now. Both have the tables of version 1, all or some of them: therefore
`IF NOT EXISTS` in the first migration, and only there.
"""

from __future__ import annotations

from collections.abc import Sequence

Migrations = Sequence[Sequence[str]]
"""The statements of each version."""

LEDGER: Migrations = (
    (
        """CREATE TABLE IF NOT EXISTS progress (job TEXT NOT NULL, channel TEXT NOT NULL,
            last_id INTEGER NOT NULL, start INTEGER, PRIMARY KEY (job, channel)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS post (job TEXT NOT NULL, channel TEXT NOT NULL, post INTEGER NOT NULL,
            last_id INTEGER NOT NULL, state TEXT NOT NULL, fingerprint TEXT NOT NULL, shape TEXT NOT NULL,
            reason TEXT, at REAL NOT NULL, PRIMARY KEY (job, channel, post)) WITHOUT ROWID""",
        """CREATE INDEX IF NOT EXISTS post_waiting ON post (job, channel, post)
            WHERE state IN ('failed', 'retry')""",
        """CREATE TABLE IF NOT EXISTS part (job TEXT NOT NULL, channel TEXT NOT NULL, post INTEGER NOT NULL,
            part INTEGER NOT NULL, state TEXT NOT NULL, message_id TEXT, channel_id TEXT,
            digest TEXT NOT NULL, files TEXT NOT NULL, payload TEXT,
            PRIMARY KEY (job, channel, post, part)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS gap (job TEXT NOT NULL, channel TEXT NOT NULL, first INTEGER NOT NULL,
            last INTEGER NOT NULL, PRIMARY KEY (job, channel, first)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS imported (channel TEXT PRIMARY KEY, last_id INTEGER NOT NULL)
            WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS gone (destination TEXT PRIMARY KEY, reason TEXT NOT NULL)
            WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS guild (webhook_id TEXT PRIMARY KEY, guild_id TEXT NOT NULL)
            WITHOUT ROWID""",
    ),
    # A post's rows are its messages, and what Discord refused is a column of the post: until here it was
    # the row of a part -1. No table is rewritten: under a second with a million posts (SQLite 3.40).
    # The index is made anew under another name, so that Disgram 3.0.0, which would make the old one over
    # a column that is no more, refuses this file instead of filling tables that nobody reads.
    (
        "ALTER TABLE part RENAME TO message",
        "ALTER TABLE message RENAME COLUMN post TO post_id",
        "ALTER TABLE message RENAME COLUMN part TO position",
        "ALTER TABLE post RENAME COLUMN post TO post_id",
        "ALTER TABLE post ADD COLUMN refused_payload TEXT",
        """UPDATE post INDEXED BY post_waiting SET refused_payload = (
                SELECT payload FROM message WHERE message.job = post.job AND message.channel = post.channel
                    AND message.post_id = post.post_id AND message.position = -1)
            WHERE state IN ('failed', 'retry')""",
        "DELETE FROM message WHERE position = -1",
        "DROP INDEX post_waiting",
        """CREATE INDEX post_failed ON post (job, channel, post_id) WHERE state IN ('failed', 'retry')""",
    ),
    # What an older log shows belongs to the jobs there were at the import. `imported` is emptied into
    # `imported_progress` by that import, which is not over until `log_position` has its one row.
    (
        """CREATE TABLE imported_progress (job TEXT NOT NULL, channel TEXT NOT NULL, last_id INTEGER NOT NULL,
            PRIMARY KEY (job, channel)) WITHOUT ROWID""",
        "CREATE TABLE log_position (read_to INTEGER NOT NULL, before TEXT NOT NULL)",
    ),
    # What a worker knows of its channel itself: Telegram's own id of it, when a first poll found no posts,
    # and whether another channel was found under its name.
    (
        """CREATE TABLE source (job TEXT NOT NULL, channel TEXT NOT NULL, channel_id INTEGER,
            empty_at REAL, replaced INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (job, channel)) WITHOUT ROWID""",
    ),
    # Where a message was sent: it is edited there or not at all, also after a change of webhook or thread.
    (
        "ALTER TABLE message ADD COLUMN webhook_id TEXT",
        "ALTER TABLE message ADD COLUMN thread_id TEXT",
    ),
    # What refused is asked again: rows of before, at once. `tries`: refusals in a row.
    (
        "ALTER TABLE gone ADD COLUMN tries INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE gone ADD COLUMN ask_at REAL NOT NULL DEFAULT 0",
    ),
    # Posts that the pages lack: since when, and what became of them (see missing_posts.py).
    (
        """CREATE TABLE missing (job TEXT NOT NULL, channel TEXT NOT NULL, post_id INTEGER NOT NULL,
            since REAL NOT NULL, state TEXT NOT NULL, PRIMARY KEY (job, channel, post_id)) WITHOUT ROWID""",
    ),
    # What GET /job/explain tells of a post beside its state. Of posts from before nothing of it is known.
    (
        """CREATE TABLE post_history (job TEXT NOT NULL, channel TEXT NOT NULL, post_id INTEGER NOT NULL,
            last_id INTEGER NOT NULL, first_seen_at REAL NOT NULL, attempts INTEGER NOT NULL,
            edits INTEGER NOT NULL, PRIMARY KEY (job, channel, post_id)) WITHOUT ROWID""",
        "ALTER TABLE message ADD COLUMN sent_at REAL",
        "ALTER TABLE post ADD COLUMN rule TEXT",
        "ALTER TABLE progress ADD COLUMN began_after INTEGER",
    ),
    # When Discord was last asked whether it knows a webhook, by all workers together.
    ("CREATE TABLE webhook_look (webhook TEXT PRIMARY KEY, asked_at REAL NOT NULL) WITHOUT ROWID",),
)

RATE_LIMITS: Migrations = (
    (
        "CREATE TABLE IF NOT EXISTS boot (id TEXT PRIMARY KEY)",
        """CREATE TABLE IF NOT EXISTS lane (name TEXT PRIMARY KEY, size INTEGER, window REAL NOT NULL,
            remaining INTEGER NOT NULL, reset_at REAL NOT NULL, blocked_until REAL NOT NULL,
            learned_at REAL NOT NULL)""",
        "CREATE TABLE IF NOT EXISTS alias (name TEXT PRIMARY KEY, lane TEXT NOT NULL)",
        """CREATE TABLE IF NOT EXISTS request (id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL,
            bucket TEXT NOT NULL, channel TEXT NOT NULL, due REAL NOT NULL, started REAL)""",
        "CREATE TABLE IF NOT EXISTS done (lane TEXT NOT NULL, at REAL NOT NULL)",
        "CREATE INDEX IF NOT EXISTS done_lane ON done (lane, at)",
        """CREATE TABLE IF NOT EXISTS pause (name TEXT PRIMARY KEY, until REAL NOT NULL,
            strikes INTEGER NOT NULL)""",
        "CREATE TABLE IF NOT EXISTS invalid (minute INTEGER PRIMARY KEY, count INTEGER NOT NULL)",
        "CREATE TABLE IF NOT EXISTS pace (name TEXT PRIMARY KEY, next REAL NOT NULL)",
    ),
    # Discord's own word for what a request is counted in.
    (
        "ALTER TABLE lane RENAME TO bucket",
        "ALTER TABLE alias RENAME TO bucket_name",
        "ALTER TABLE bucket_name RENAME COLUMN lane TO bucket",
        "ALTER TABLE request RENAME COLUMN channel TO channel_bucket",
        "DROP INDEX done_lane",
        "ALTER TABLE done RENAME COLUMN lane TO bucket",
        "CREATE INDEX done_bucket ON done (bucket, at)",
    ),
    # Which of several addresses towards Telegram rest (TELEGRAM_EGRESS): why, since when, until when.
    (
        """CREATE TABLE egress (name TEXT PRIMARY KEY, reason TEXT NOT NULL, since REAL NOT NULL,
            until REAL NOT NULL, strikes INTEGER NOT NULL) WITHOUT ROWID""",
    ),
)
