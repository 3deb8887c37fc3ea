"""Tables of what documents and databases hold, made from the types and tables of the code and their docstrings."""

from __future__ import annotations

import ast
import importlib
import inspect
from dataclasses import is_dataclass
from enum import Enum
from types import ModuleType
from typing import Any, Final

import sqlalchemy as sa
from docutils import nodes

from specminer.learning.abstraction_definition import load
from specminer.learning.definition_catalogue import paths
from specminer.learning.metric import METRICS, Metric
from specminer.presentation.report_document import CutList
from specminer.store import schema
from tools.field_texts import docstring, documented_fields

from .made import Cells, Made, code, inline, listing, paragraph, table

_PLAIN: Final = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
    "Any": "anything",
    "None": "null",
    "Count": "whole number from 0",
    "Share": "number from 0 to 1",
    "Weight": "number from 0",
    "Interval": "list of 2: number from 0 to 1, number from 0 to 1",
}


class Fields(Made):
    """``fields MODULE CLASS``: a dataclass as a JSON object, and all those that its fields hold."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        """Return a section for each class, in the order in which they are first spoken of."""
        module, first = importlib.import_module(self.arguments[0]), self.arguments[1]
        names = [first]
        found: list[nodes.Node] = []
        for name in names:
            section = self.section(code(name), f"{first}-{name}".lower())
            section += paragraph(
                " ".join((inspect.getdoc(getattr(module, name)) or "").split("\n\n")[0].split())
            )
            fields = list(documented_fields(getattr(module, name)))
            rows: list[Cells] = [
                [[code(field)], inline(_type(annotation, module)), inline(text)]
                for field, annotation, text in fields
            ]
            section += table(("field", "holds", "meaning"), rows)
            found.append(section)
            for _, annotation, _ in fields:
                names += [each for each in _held(annotation, module) if each not in names]
        return found


def _held(annotation: ast.expr, module: ModuleType) -> list[str]:
    """Return the dataclasses of a module, or of a package that gives them, that a field holds."""
    names = [item.id for item in ast.walk(annotation) if isinstance(item, ast.Name)]
    package = module.__name__
    kinds = [
        name
        for name in names
        if f"{getattr(getattr(module, name, None), '__module__', '')}.".startswith(f"{package}.")
    ]
    return [name for name in kinds if is_dataclass(getattr(module, name)) and name != CutList.__name__]


def _type(node: ast.expr, module: ModuleType) -> str:
    """Return what a field holds in JSON, in words."""
    match node:
        case ast.Constant(value=None):
            return "null"
        case ast.Name(id=name):
            return _PLAIN.get(name) or _named(name, module)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return f"{_type(left, module)} or {_type(right, module)}"
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=[inner, ast.Constant()])):
            return f"list of {_type(inner, module)}"
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=inner)):
            return f"list of {len(inner)}: {', '.join(_type(item, module) for item in inner)}"
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[_, ast.Name(id="Any")])):
            return "object"
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[_, inner])):
            return f"object of {_type(inner, module)}"
        case ast.Subscript(value=ast.Name(id=name), slice=inner) if name == CutList.__name__:
            return f"``items`` (list of {_type(inner, module)}) and ``total``"
        case _:
            return ast.unparse(node)


def _named(name: str, module: ModuleType) -> str:
    kind: Any = getattr(module, name)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(f'``"{item.value}"``' for item in kind)
    return f"``{name}``"


class Tables(Made):
    """``tables``: the tables of the database."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each table."""
        told = _texts_of_tables()
        found: list[nodes.Node] = []
        for item in schema.metadata.sorted_tables:
            section = self.section(code(item.name), f"table-{item.name}")
            if told.get(item.name):
                section += paragraph(told[item.name])
            section += table(
                ("column", "type", "null", "refers to"),
                [
                    [[code(c.name)], inline(_sql(c)), inline("yes" if c.nullable else "no"), _target(c)]
                    for c in item.c
                ],
            )
            found.append(section)
        return found


def _sql(column: sa.Column[Any]) -> str:
    key = ", key" if column.primary_key else ""
    return f"{str(column.type).lower()}{key}"


def _target(column: sa.Column[Any]) -> list[nodes.Node]:
    return [code(key.target_fullname) for key in column.foreign_keys]


def _texts_of_tables() -> dict[str, str]:
    """Return the docstring below each table of the schema, by the table's name."""
    body = ast.parse(inspect.getsource(schema)).body
    found = {}
    for place, item in enumerate(body):
        if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
            value = getattr(schema, item.targets[0].id)
            if isinstance(value, sa.Table):
                found[value.name] = docstring(body[place + 1 :])
    return found


class Metrics(Made):
    """``metrics``: what is measured of each automaton."""

    def run(self) -> list[nodes.Node]:
        """Return a table."""
        rows: list[Cells] = [
            [
                [code(name)],
                inline(_range(item)),
                inline(item.unit),
                inline(item.better.value),
                inline(item.source),
            ]
            for name, item in METRICS.items()
        ]
        return [table(("metric", "range", "unit", "better", "source"), rows)]


def _range(item: Metric) -> str:
    return f"{item.low:g} to {item.high:g}" if item.high != float("inf") else f"from {item.low:g}"


class Catalogue(Made):
    """``catalogue``: the shipped abstraction definitions."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each."""
        found: list[nodes.Node] = []
        for path in paths().values():
            item = load(path)
            section = self.section(code(item.name), f"definition-{item.name}")
            section += paragraph(f"{item.summary}.")
            if item.applies_to:
                listed = ", ".join(f"``{text}``" for text in item.applies_to)
                section += paragraph(f"Used by itself where the ABI has {listed}.")
            section += listing(path.read_text(encoding="utf-8"), "toml")
            found.append(section)
        return found
