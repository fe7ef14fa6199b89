"""Packyak: data pipelines as plain Python functions, which people correct and which learn from it."""
