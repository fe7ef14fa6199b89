"""Learned transforms in a run: what they learn from, when, which model answers, and what a promotion would change.

`examples` makes records and labels for the learners, `answering` asks the model in force, `lesson` learns and lets
the gate decide, `flips` shows what another model would change.
"""
