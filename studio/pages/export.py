"""Export: what of the project will stand in the cloud, what changes, what it costs, and one button that does it."""

from packyak.studio.components.export import export_page
from packyak.studio.components.shell import opened

export_page(opened())
