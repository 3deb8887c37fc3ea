"""List and show the shipped histories."""

from __future__ import annotations

import click

from specminer.pipeline.datasets import dataset, list_datasets


@click.group("datasets")
def command() -> None:
    """Show the shipped histories; `specminer mine NAME` mines one."""


@command.command("list")
def list_command() -> None:
    """List the datasets."""
    datasets = list_datasets()
    width = max(len(item.name) for item in datasets)
    for item in datasets:
        click.echo(f"{item.name:<{width}}  {item.title}")


@command.command("show")
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
