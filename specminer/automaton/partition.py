"""The coarsest bisimulation, by partition refinement.

Two states are bisimilar if each can do what the other can, and gets to bisimilar states by it. Here all
states accept, so nothing but moves tells them apart.
"""

from __future__ import annotations

import numpy as np

from specminer.automaton.weighted_automaton import IntArray, TransitionColumns


class _Partition:
    """Disjoint blocks of 0..n-1 that only get finer; splitting costs what is split off."""

    def __init__(self, keys: list[tuple[int, ...]]) -> None:
        self.elements = sorted(range(len(keys)), key=lambda item: keys[item])
        self.position = [0] * len(keys)
        self.block = [0] * len(keys)
        self.first: list[int] = []
        self.end: list[int] = []
        for position, item in enumerate(self.elements):
            self.position[item] = position
            if not position or keys[item] != keys[self.elements[position - 1]]:
                self.first.append(position)
                self.end.append(position)
            self.block[item] = len(self.first) - 1
            self.end[-1] = position + 1

    def size(self, block: int) -> int:
        return self.end[block] - self.first[block]

    def members(self, block: int) -> list[int]:
        return self.elements[self.first[block] : self.end[block]]

    def split(self, items: list[int]) -> list[tuple[int, int]]:
        """Part the given items (each once) from the rest of their blocks; return (old, new) block numbers."""
        marked: dict[int, int] = {}
        for item in items:
            block = self.block[item]
            position = self.first[block] + marked.get(block, 0)
            other = self.elements[position]
            here = self.position[item]
            self.elements[position], self.elements[here] = item, other
            self.position[item], self.position[other] = position, here
            marked[block] = marked.get(block, 0) + 1
        splits = []
        for block, number in marked.items():
            if number == self.size(block):
                continue
            new = len(self.first)
            middle = self.first[block] + number
            self.first.append(self.first[block])
            self.end.append(middle)
            self.first[block] = middle
            for item in self.members(new):
                self.block[item] = new
            splits.append((block, new))
        return splits


class _Refinement:
    """The state of the algorithm: fine blocks, and coarser families of them that they are stable against."""

    def __init__(self, columns: TransitionColumns) -> None:
        size = len(columns.ids)
        self.source = columns.source.tolist()
        self.symbol = columns.symbol.tolist()
        self.incoming: list[list[int]] = [[] for _ in range(size)]
        able: list[dict[int, int]] = [{} for _ in range(size)]
        self.record: list[int] = []
        """For each edge, which number counts the edges of its source and symbol into its target's family."""
        self.number: list[int] = []
        for edge, (source, symbol, target) in enumerate(
            zip(self.source, self.symbol, columns.target.tolist(), strict=True)
        ):
            self.incoming[target].append(edge)
            row = able[source].setdefault(symbol, len(self.number))
            if row == len(self.number):
                self.number.append(0)
            self.number[row] += 1
            self.record.append(row)
        self.blocks = _Partition([tuple(sorted(symbols)) for symbols in able])
        count = len(self.blocks.first)
        self.family = [0] * count
        self.families = [list(range(count))]
        self.compound = [0] if count > 1 else []

    def run(self) -> None:
        while self.compound:
            family = self.compound.pop()
            members = self.families[family]
            if self.blocks.size(members[-1]) > self.blocks.size(members[-2]):
                members[-1], members[-2] = members[-2], members[-1]
            splitter = members.pop()
            if len(members) > 1:
                self.compound.append(family)
            self.family[splitter] = len(self.families)
            self.families.append([splitter])
            self._refine(splitter)

    def _refine(self, splitter: int) -> None:
        """Make all blocks stable against the splitter and against what is left of its family."""
        into: dict[int, dict[int, list[int]]] = {}
        for state in self.blocks.members(splitter):
            for edge in self.incoming[state]:
                into.setdefault(self.symbol[edge], {}).setdefault(self.source[edge], []).append(edge)
        for sources in into.values():
            self._split(list(sources))
            only = [
                item for item, edges in sources.items() if self.number[self.record[edges[0]]] == len(edges)
            ]
            self._split(only)
            for edges in sources.values():
                self.number[self.record[edges[0]]] -= len(edges)
                for edge in edges:
                    self.record[edge] = len(self.number)
                self.number.append(len(edges))

    def _split(self, items: list[int]) -> None:
        for old, new in self.blocks.split(items):
            family = self.family[old]
            self.family.append(family)
            self.families[family].append(new)
            if len(self.families[family]) == 2:
                self.compound.append(family)


def bisimulation_classes(columns: TransitionColumns) -> IntArray:
    """Return the class of each state under the coarsest bisimulation; shape (n,).

    Classes are numbered in the order of their first states. O(m log n) for m transitions and n states.

    Source: Paige and Tarjan 1987, with labels as in Valmari 2010.
    """
    refinement = _Refinement(columns)
    refinement.run()
    number: dict[int, int] = {}
    classes = [number.setdefault(block, len(number)) for block in refinement.blocks.block]
    return np.array(classes, dtype=np.int64)
