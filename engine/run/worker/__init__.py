"""The warm process of a project, and how others reach it: `serve` runs in it, `client` and `remote` hand it work."""
