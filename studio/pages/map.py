"""Map: the records of an index in two dimensions, to see what lies together and to pick records by eye."""

from packyak.studio.components.map.page import map_page
from packyak.studio.components.shell import opened

map_page(opened())
