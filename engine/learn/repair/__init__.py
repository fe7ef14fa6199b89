"""Repair: finding wrong cells and their right values from a handful of corrected records.

`profile` counts what the table looks like, `votes` what other records say, `nearby` which frequent value is near,
`programs` what the person's edits have in common; `candidates` collects every answer with the same features, `ranker`
weighs them, `learner` ties them together, `questions` chooses which records a person should look at. No rule names a
column or a value.
"""
