"""The docstrings below the fields of dataclasses, as the documentation and the JSON Schema tell them."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import is_dataclass


def documented_fields(kind: type) -> Iterator[tuple[str, ast.expr, str]]:
    """Yield each field of a dataclass, those of its bases first: its name, its type as written, its docstring.

    Readers of JSON know ``None`` as ``null``.
    """
    for base in reversed(kind.__mro__):
        if is_dataclass(base):
            tree = ast.parse(inspect.getsource(importlib.import_module(base.__module__)))
            (body,) = (
                item.body
                for item in tree.body
                if isinstance(item, ast.ClassDef) and item.name == base.__name__
            )
            for place, item in enumerate(body):
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    text = docstring(body[place + 1 :]).replace("``None``", "``null``")
                    yield item.target.id, item.annotation, text


def docstring(behind: Sequence[ast.stmt]) -> str:
    """Return the docstring that the statements behind a field begin with, in one line; empty if they do not."""
    match behind:
        case [ast.Expr(value=ast.Constant(value=str(text))), *_]:
            return " ".join(text.split())
        case _:
            return ""
