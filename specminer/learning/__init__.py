"""From events to an automaton: predicates that may tell states apart, quotients, and the search for the best.

A table of events (:mod:`.event_table`) has candidate predicates (:mod:`.vocabulary`). Each selection of them gives a
quotient (:mod:`.quotient`), which is measured (:mod:`.metric`, :mod:`.objective`); :mod:`.tune` searches and chooses.
How sure the choice is, without any truth to compare it with, tell automata learned from halves of the history
(:mod:`.split_half_agreement`) and the interactions that each transition rests on (:mod:`.transition_support`). What a
person decides about an abstraction is its definition (:mod:`.abstraction_definition`).
"""
