"""``specminer datasets``: what is shipped."""

from __future__ import annotations

import click

from specminer.datasets import dataset
from specminer.datasets import datasets as shipped


@click.group()
def datasets() -> None:
    """Show the shipped histories; `specminer mine NAME` mines one."""


@datasets.command("list")
def list_command() -> None:
    """List the datasets."""
    found = shipped()
    width = max(len(item.name) for item in found)
    for item in found:
        click.echo(f"{item.name:<{width}}  {item.title}")


@datasets.command("show")
@click.argument("name")
def show_command(name: str) -> None:
    """Show what the dataset NAME is, where it comes from, and its files."""
    item = dataset(name)
    lines = [
        ("dataset", item.name),
        ("contract", f"{item.contract} at {item.address}, chain {item.chain_id}"),
        ("compiled by", f"solc {item.compiler}"),
        ("recorded on", item.node),
        ("shows", item.purpose),
        ("licence", item.licence),
        *(("traces", str(path)) for path in item.trace_files),
        *(("source", str(path)) for path in item.sources),
    ]
    click.echo(f"{item.title}\n\n{item.summary}\n")
    for key, value in lines:
        click.echo(f"{key:<12} {value}")
    click.echo(f"\nMine it: specminer mine {item.name}")
