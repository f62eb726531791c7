"""Posts -> messages within Discord's limits, and requests to webhooks. Nothing about Telegram's HTML."""
