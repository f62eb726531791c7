"""The tables in PostgreSQL, as numbered migrations: append-only, as those of SQLite (storage/schema.py).

Owns the tables and their columns. A column of the ledger that is added there is added here; a test compares.
"""

from __future__ import annotations

from disgram.storage.schema import Migrations

_OF_CHANNEL = "job TEXT NOT NULL, channel TEXT NOT NULL"

MIGRATIONS: Migrations = (
    (
        # The ledger, as SQLite's version 9 has it. `imported` and `log_position` are not here: what an older
        # Disgram wrote into a log is taken over there, before an installation moves here.
        f"""CREATE TABLE progress ({_OF_CHANNEL}, last_id BIGINT NOT NULL, start BIGINT, began_after BIGINT,
            PRIMARY KEY (job, channel))""",
        f"""CREATE TABLE post ({_OF_CHANNEL}, post_id BIGINT NOT NULL, last_id BIGINT NOT NULL,
            state TEXT NOT NULL, fingerprint TEXT NOT NULL, shape TEXT NOT NULL, reason TEXT,
            at DOUBLE PRECISION NOT NULL, refused_payload TEXT, rule TEXT,
            PRIMARY KEY (job, channel, post_id))""",
        "CREATE INDEX post_failed ON post (job, channel, post_id) WHERE state IN ('failed', 'retry')",
        f"""CREATE TABLE message ({_OF_CHANNEL}, post_id BIGINT NOT NULL, position BIGINT NOT NULL,
            state TEXT NOT NULL, message_id TEXT, channel_id TEXT, digest TEXT NOT NULL, files TEXT NOT NULL,
            payload TEXT, webhook_id TEXT, thread_id TEXT, sent_at DOUBLE PRECISION,
            PRIMARY KEY (job, channel, post_id, position))""",
        f"""CREATE TABLE gap ({_OF_CHANNEL}, first BIGINT NOT NULL, last BIGINT NOT NULL,
            PRIMARY KEY (job, channel, first))""",
        f"""CREATE TABLE imported_progress ({_OF_CHANNEL}, last_id BIGINT NOT NULL,
            PRIMARY KEY (job, channel))""",
        f"""CREATE TABLE source ({_OF_CHANNEL}, channel_id BIGINT, empty_at DOUBLE PRECISION,
            replaced BIGINT NOT NULL DEFAULT 0, PRIMARY KEY (job, channel))""",
        f"""CREATE TABLE missing ({_OF_CHANNEL}, post_id BIGINT NOT NULL, since DOUBLE PRECISION NOT NULL,
            state TEXT NOT NULL, PRIMARY KEY (job, channel, post_id))""",
        f"""CREATE TABLE post_history ({_OF_CHANNEL}, post_id BIGINT NOT NULL, last_id BIGINT NOT NULL,
            first_seen_at DOUBLE PRECISION NOT NULL, attempts BIGINT NOT NULL, edits BIGINT NOT NULL,
            PRIMARY KEY (job, channel, post_id))""",
        "CREATE TABLE guild (webhook_id TEXT PRIMARY KEY, guild_id TEXT NOT NULL)",
        """CREATE TABLE gone (destination TEXT PRIMARY KEY, reason TEXT NOT NULL,
            tries BIGINT NOT NULL DEFAULT 1, ask_at DOUBLE PRECISION NOT NULL DEFAULT 0)""",
        "CREATE TABLE webhook_look (webhook TEXT PRIMARY KEY, asked_at DOUBLE PRECISION NOT NULL)",
        # Who runs what. A lease is held while the row of its holder, a host's incarnation, is valid. Its
        # epoch grows with each new holder; what is written under an older one is refused (fence.py).
        """CREATE TABLE host (name TEXT PRIMARY KEY, incarnation TEXT NOT NULL UNIQUE,
            until TIMESTAMPTZ NOT NULL, seen TIMESTAMPTZ NOT NULL DEFAULT now(),
            weight DOUBLE PRECISION NOT NULL DEFAULT 0, account BOOLEAN NOT NULL DEFAULT false)""",
        "CREATE SEQUENCE lease_epoch",
        # Its names in the order of bytes, so that the index finds those that begin alike.
        """CREATE TABLE lease (name TEXT COLLATE "C" PRIMARY KEY, holder TEXT NOT NULL,
            epoch BIGINT NOT NULL DEFAULT nextval('lease_epoch'))""",
        "CREATE INDEX lease_holder ON lease (holder)",
        """CREATE TABLE job (name TEXT PRIMARY KEY, id BIGSERIAL UNIQUE, position BIGINT NOT NULL DEFAULT 0,
            fields JSONB NOT NULL)""",
        f"""CREATE TABLE worker_row ({_OF_CHANNEL}, host TEXT NOT NULL, row JSONB NOT NULL,
            at TIMESTAMPTZ NOT NULL DEFAULT now(), PRIMARY KEY (job, channel, host))""",
    ),
    # What was sent to a webhook lately, for the host that takes it over.
    (
        "CREATE INDEX message_sent ON message (sent_at)",
        "CREATE INDEX message_attempting ON message (webhook_id) WHERE state = 'attempting'",
    ),
)
