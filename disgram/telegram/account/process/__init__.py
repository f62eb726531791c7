"""The process `disgram: account`: it alone holds the account's connection to Telegram, for all workers.

Answers over a Unix socket what a worker would ask t.me. Imports Telethon, and nothing of a worker's.
"""
