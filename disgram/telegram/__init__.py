"""t.me -> posts: requests to Telegram, its pages, and which posts are new. Nothing about Discord."""
