"""The ``specminer`` command: its subcommands, and how errors become exit codes.

Exit codes: 0 done; 1 a check found something; 2 wrong use; 3 the chain, the node or the database failed or
does not hold what was asked; 70 a defect of specminer itself; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from specminer import __version__
from specminer.cli.collect import collect
from specminer.cli.datasets import datasets
from specminer.cli.demo import demo
from specminer.cli.mine import mine
from specminer.cli.traces import export_command, import_command
from specminer.errors import SpecminerError, plain

INTERRUPTED = 130
DEFECT = 70


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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


for _command in (mine, demo, collect, import_command, export_command, datasets):
    app.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; nothing but texts for people leaves it."""
    try:
        result = app.main(args=arguments, prog_name="specminer", standalone_mode=False)
        sys.stdout.flush()
    except SpecminerError as error:
        _say(f"error: {error.message}")
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted; what was collected is kept: run the same command again to continue")
        return INTERRUPTED
    except BrokenPipeError:
        # whoever read our output has seen enough; silence the flush at exit too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        _say("error: not enough memory for this history; mine fewer blocks (--from-block, --to-block)")
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
    print(plain(text, 2_000), file=sys.stderr)
