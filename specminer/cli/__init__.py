"""The command line: one file a command, no logic."""

from specminer.cli.app import main

__all__ = ["main"]
