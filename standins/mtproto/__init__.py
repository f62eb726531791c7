"""Telegram's MTProto servers on loopback, as far as an account that reads needs them. Needs Telethon."""
