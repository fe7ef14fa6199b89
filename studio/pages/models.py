"""Models: what each learned transform has learned from people, how well it does, and which model answers."""

from packyak.studio.components.models import models_page
from packyak.studio.components.shell import opened

models_page(opened())
