"""Posts -> messages within Discord's limits, and their webhook requests. Never a word of Telegram's HTML."""
