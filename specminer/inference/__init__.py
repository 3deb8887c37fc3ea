"""What holds of a mined automaton: guards, invariants, what follows from what, and what stands out.

Four trades share this room, because they share terms and cases: guards (:mod:`.function_guards`), invariants
(:mod:`.invariant_search`), reasoning with a solver (:mod:`.solver_questions`), and surprise
(:mod:`.ranked_transactions`).
"""
