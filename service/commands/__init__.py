"""One module per group of operator commands; see `service/cli.py`."""
