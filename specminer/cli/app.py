"""The ``specminer`` command: its subcommands, and how errors become exit codes.

Exit codes: 0 done; 1 a check found something; 2 wrong use; 3 the chain, the node or the database failed or
does not hold what was asked; 70 a defect of specminer itself; 130 interrupted.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections import UserDict
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Final

import click

from specminer import __version__
from specminer.cli.interruption import INTERRUPTED, ending_at_once
from specminer.cli.removed import removal_hint
from specminer.errors import SpecminerError, UsageError, plain

DEFECT: Final = 70

_HELP: Final = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""What click 8.2 and newer raise where a group is called without a command; older ones just print the help."""
_URL: Final = re.compile(r"\b(\w+)://\S*")


_COMMANDS: Final = {
    "abstractions": ("abstractions:abstractions", "List, show and check abstraction definitions."),
    "collect": (
        "collect:collect",
        "Read a contract's transactions from a node or an explorer into the database.",
    ),
    "datasets": ("datasets:datasets", "List and show the shipped histories."),
    "demo": ("demo:demo", "Mine a bundled history: needs no node and no database."),
    "doctor": ("doctor:doctor", "Tell what this installation, the database and a node can do."),
    "export": ("traces:export_command", "Write a contract's history to a trace file."),
    "export-smt": ("export_smt:export_smt", "Write states, guards and transitions as SMT-LIB 2."),
    "import": ("traces:import_command", "Fill the database from an explorer's export or a trace file."),
    "interactions": (
        "interactions:interactions",
        "List a history's interactions, explain the split, show one, find races.",
    ),
    "mine": ("mine:mine", "Mine a contract's automaton: collect what is missing, tune, draw."),
    "prove": ("prove:prove", "Prove again what an automaton.json claims to be proved."),
    "render": ("render:render", "Draw an automaton again: formats, theme, more or less in it."),
    "report": (
        "report:report",
        "Write the report of an automaton: one HTML page, Markdown, JSON; logs of its events.",
    ),
    "score": ("score:score", "Score a mined automaton against a declared protocol."),
}
"""Each command: where it is, and what it does in a line."""


class _Commands(UserDict[str, click.Command]):
    """The commands by name; the module of one, and all that is behind it, is loaded when it is looked up."""

    def __getitem__(self, name: str) -> click.Command:
        place, summary = _COMMANDS[name]
        module, _, attribute = place.partition(":")
        with ending_at_once():
            command: click.Command = getattr(import_module(f"specminer.cli.{module}"), attribute)
        command.short_help = summary
        return command


class _App(click.Group):
    """Lists its commands without loading them."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command does in a line."""
        click.Group(commands=_summaries()).format_commands(context, formatter)


def _summaries() -> dict[str, click.Command]:
    return {name: click.Command(name, short_help=summary) for name, (_, summary) in _COMMANDS.items()}


@click.group(
    cls=_App,
    commands=_Commands(_summaries()),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "--version", prog_name="specminer", message="%(prog)s %(version)s")
def app() -> None:
    """Mine what a smart contract really does from its recorded history.

    Start with `specminer demo`, which needs no node. Then, for a contract on a chain:

    \b
      specminer mine 0xADDRESS --rpc http://127.0.0.1:8545 --abi Contract.json

    It reads the contract's transactions from the node into a database, splits them into interactions,
    finds the abstraction that describes them best, and draws the result as an automaton whose every edge is
    backed by transactions.

    Exit codes: 0 done; 1 a check found something; 2 wrong use; 3 the chain, the node or the database
    failed or does not hold what was asked; 70 a defect of specminer; 130 interrupted.
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; nothing but texts for people leaves it."""
    _show_what_cannot_be_encoded()
    try:
        result = app.main(args=arguments, prog_name="specminer", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except SpecminerError as error:
        _say(f"error: {error.message}")
        return error.exit_code
    except click.ClickException as error:
        return _refuse(error)
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted; what was collected is kept: run the same command again to continue")
        return INTERRUPTED
    except (BrokenPipeError, SystemExit) as error:
        # whoever read our output has seen enough: where click notices that, it exits with 1
        if isinstance(error, SystemExit) and error.code != 1:
            raise
        _discard_output()
        return 0
    except MemoryError:
        _say("error: not enough memory for this history; mine fewer blocks (--from-block, --to-block)")
        return 3
    except OSError as error:
        if os.environ.get("SPECMINER_DEBUG"):
            raise
        _discard_output()
        _say(f"error: the operating system refused: {error.strerror or type(error).__name__}")
        return 3
    except Exception as error:  # the last line of defence: no stack trace reaches a user
        if os.environ.get("SPECMINER_DEBUG"):
            raise
        _say(
            f"error: a defect of specminer ({type(error).__name__}); nothing that was collected is lost. Please "
            "report it with the output of the same command under SPECMINER_DEBUG=1"
        )
        return DEFECT
    return result if isinstance(result, int) else 0


def _say(text: str) -> None:
    with suppress(OSError):
        print(plain(text, 2_000), file=sys.stderr, flush=True)


def _refuse(error: click.ClickException) -> int:
    """Say what is wrong with the options; what looks like a URL may hold a key and is not repeated."""
    if isinstance(error, _HELP):
        error.show()
        return UsageError.exit_code
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        _say(" ".join(context.get_usage().split()))
        _say(f"Try '{context.command_path} --help' for help.")
    message = removal_hint(error) or error.format_message()
    _say("error: " + _URL.sub(r"\1://***", message))
    return UsageError.exit_code


def _show_what_cannot_be_encoded() -> None:
    """Print characters that the terminal's encoding lacks as escapes, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Make sure that the flush at exit has nothing to complain about."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
