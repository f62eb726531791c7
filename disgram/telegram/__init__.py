"""t.me -> posts: the requests to Telegram, its pages, and what is new on them. Never a word of Discord."""
