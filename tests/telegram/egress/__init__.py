"""Ways to Telegram: paces, rests, several addresses."""
