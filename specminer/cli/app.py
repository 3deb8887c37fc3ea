"""The ``specminer`` command: its subcommands, and how errors become exit codes.

Exit codes: 0 done; 1 a check found something; 2 wrong use; 3 the chain, the node or the database failed or
does not hold what was asked; 70 a defect of specminer itself; 130 interrupted.
"""

from __future__ import annotations

import io
import logging
import os
import re
import sys
from collections import UserDict
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem

from specminer import __version__
from specminer._support.errors import SpecminerError, UsageError, plain
from specminer.cli.interruption import INTERRUPTED, ending_at_once
from specminer.cli.removed import removal_hint

DEFECT: Final = 70

_HELP: Final = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""What click 8.2 and newer raise where a group is called without a command; older ones just print the help."""
_URL: Final = re.compile(r"\b(\w+)://\S*")


def _summaries() -> dict[str, str]:
    """Return what each command does in a line, by its name: the first line of its module, which is not loaded."""
    summaries = {}
    for path in sorted(Path(__file__).parent.glob("*_command.py")):
        with path.open(encoding="utf-8") as file:
            summaries[path.stem.removesuffix("_command").replace("_", "-")] = (
                file.readline().strip().strip('"')
            )
    return summaries


class _Commands(UserDict[str, click.Command]):
    """The commands by name; the module of one, and all that is behind it, is loaded when it is looked up."""

    def __init__(self) -> None:
        self.summaries = _summaries()
        super().__init__({name: click.Command(name) for name in self.summaries})

    def __getitem__(self, name: str) -> click.Command:
        if name not in self.data:
            raise KeyError(name)
        module = f"specminer.cli.{name.replace('-', '_')}_command"
        with ending_at_once():
            command: click.Command = import_module(module).command
        command.short_help = self.summaries[name]
        return command


class _App(click.Group):
    """Lists its commands without loading them."""

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin as what was typed, with what they do, and the options."""
        completions = [
            CompletionItem(name, help=line)
            for name, line in _summaries().items()
            if name.startswith(incomplete)
        ]
        return [*completions, *click.Command.shell_complete(self, context, incomplete)]

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command does in a line."""
        commands = {name: click.Command(name, short_help=line) for name, line in _summaries().items()}
        click.Group(commands=commands).format_commands(context, formatter)


@click.group(
    cls=_App,
    commands=_Commands(),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "--version", prog_name="specminer", message="%(prog)s %(version)s")
@click.pass_context
def app(context: click.Context) -> None:
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
    if context.invoked_subcommand is None:
        click.echo(next_command(Path()))


def next_command(folder: Path) -> str:
    """Return what to run next in a folder: by whether a report, or a database, is there already."""
    reports = any(folder.glob("report.html")) or any(folder.glob("*/report.html"))
    if reports:
        lines = ("specminer open", "shows the newest report in this folder")
    elif (folder / "specminer.db").is_file():
        lines = (
            "specminer db stats",
            "tells which contracts specminer.db holds; `specminer mine 0xADDRESS` mines one",
        )
    else:
        lines = ("specminer demo", "mines a bundled history; it needs no node")
    return (
        f"Next: {lines[0]}\n      {lines[1]}\n\n"
        "For a contract on a chain: specminer mine 0xADDRESS --rpc http://127.0.0.1:8545 --abi Contract.json\n"
        "All commands: specminer --help"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; nothing but texts for people leaves it."""
    _show_what_cannot_be_encoded()
    _silence_libraries()
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


def _silence_libraries() -> None:
    """Leave out what libraries log of failures, with stack traces: where nobody listens, Python prints it."""
    root = logging.getLogger()
    if not root.hasHandlers():
        root.addHandler(logging.NullHandler())


def _discard_output() -> None:
    """Make sure that the flush at exit has nothing to complain about."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
