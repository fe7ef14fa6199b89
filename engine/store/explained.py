"""What Lance's errors mean: it reports the system's refusals as OSError or RuntimeError, with text of its own."""

from __future__ import annotations

from packyak.engine.errors import HomeError, HomeFull, HomeNotWritable


def explanation(error: Exception, uri: str) -> HomeError:
    """The error in our words, for a table or file at an address."""
    text = str(error)
    if "No space left" in text or "os error 28" in text or "quota" in text.lower():
        return HomeFull(
            f"the disk is full: {uri} could not be written, and its last version is unchanged",
            path=uri,
            next_step="free some space on the disk, then try again",
        )
    if any(sign in text for sign in ("Permission denied", "os error 13", "Read-only file system", "AccessDenied")):
        return HomeNotWritable(
            f"{uri} cannot be written: {text.splitlines()[0][:200]}",
            path=uri,
            next_step="give your user write access to the home, or choose another home with --home or PACKYAK_HOME",
        )
    return HomeError(
        f"the table {uri} could not be used: {text.splitlines()[0][:300] if text else type(error).__name__}",
        path=uri,
        next_step="run `packyak doctor`; an older version of the table stays readable",
    )
