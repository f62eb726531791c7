"""What the service asks of Discord and Telegram before people rely on a job. Changes nothing."""
