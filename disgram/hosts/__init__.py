"""Several hosts as one service: who runs which channels, decided over a database that all of them share."""
