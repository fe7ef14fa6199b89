"""Runs: what each run did, how long it took, what failed, and the way back to the records that did."""

from packyak.studio.components.runs.page import runs_page
from packyak.studio.components.shell import opened

runs_page(opened())
