"""Projects: open a folder, go back to a recent project, or make the sample."""

from packyak.studio.components.home import welcome

welcome()
