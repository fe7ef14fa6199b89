"""Records: any asset, page by page, with every wrong value one click from being corrected."""

from packyak.studio.components.records.page import records_page
from packyak.studio.components.shell import opened

records_page(opened())
