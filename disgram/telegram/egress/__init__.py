"""How requests reach Telegram: from which address, and at which pace."""
