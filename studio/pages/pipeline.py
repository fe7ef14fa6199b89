"""Pipeline: what the project makes, how fresh it is, and the button that brings it up to date."""

from packyak.studio.components.pipeline.page import pipeline_page
from packyak.studio.components.shell import opened

pipeline_page(opened())
