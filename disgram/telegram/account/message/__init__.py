"""Messages as Telethon has them -> `TelegramPost`: what telegram/page/ does for t.me's pages. No I/O.

Runs in the account's process alone, since it imports Telethon.
"""
