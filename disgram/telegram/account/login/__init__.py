"""Logging an account in and out, in a terminal. Not part of the service; imports Telethon."""
