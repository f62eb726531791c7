"""Channels read through a Telegram account: what t.me does not preview. Only `message` and the account's own
process import Telethon."""
