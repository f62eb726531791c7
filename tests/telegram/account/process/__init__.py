"""The account's process over the stand-in of MTProto, with real Telethon."""
