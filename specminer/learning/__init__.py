"""From events to an automaton: predicates that may tell states apart, quotients, and the search for the best.

Belongs here: whatever the choice of the abstraction depends on, how sure it is, and the names of its states.
"""
