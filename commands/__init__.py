"""What `disgram` does beside running the service: a subcommand a module. cli.py calls them."""
