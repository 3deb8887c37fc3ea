"""What holds of a mined automaton: guards, invariants, what follows from what, and what stands out.

Four trades share this room, because they share terms and cases:

- Guards: when a function is accepted, as its code decides (:mod:`.decided_clauses`), or learned where the code could
  not be followed (:mod:`.guard_learning`); :mod:`.function_guards` finds those of all functions.
- Invariants: candidates come from templates (:class:`~specminer.specification.Template`), are evaluated exactly on
  columns of 256-bit words (:mod:`.limb_arithmetic`), and are claims only with enough cases and hardly any exception
  (:mod:`.invariant_search`).
- Reasoning: what follows from what, asked of a solver where there is one (:mod:`.solver_questions`).
- Surprise, in bits: each event and each interaction is judged by an automaton that learned nothing from it
  (:mod:`.leave_one_out`, :mod:`.surprise_measures`); what is above a calibrated threshold (:mod:`.alarm`) is an alarm;
  :mod:`.surprise_ranking` and :mod:`.ranked_transactions` explain.
"""
