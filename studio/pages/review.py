"""Review: the records most worth a person's minute, one question at a time, answered by keys."""

from packyak.studio.components.review.page import review_page
from packyak.studio.components.shell import opened

review_page(opened())
