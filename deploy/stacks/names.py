"""What everything in the account is called: from the project's name alone, so that stacks refer to one another by name.

A name that would be longer than its service allows is cut and ends in a hash of the whole. Standard library only.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

LONGEST = 64  # roles, functions and rules; most others allow more


def slug(text: str) -> str:
    """Lower-case letters, digits and hyphens, as buckets and repositories want them."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "project"


def fitting(name: str, longest: int = LONGEST) -> str:
    """The name, cut where it is too long."""
    if len(name) <= longest:
        return name
    return f"{name[: longest - 9].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def logical(name: str) -> str:
    """A name as CloudFormation writes logical ids, letters and digits only; different for names that differ."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    written = "".join(word[0].upper() + word[1:] for word in words)
    plain = re.fullmatch(r"[a-z][a-z0-9]*([_-][a-z][a-z0-9]*)*", name)
    return written if plain else f"{written}{hashlib.sha256(name.encode()).hexdigest()[:6]}"


@dataclass(frozen=True)
class Names:
    """The names of one project's things. bucket: of its home."""

    project: str
    bucket: str

    @property
    def prefix(self) -> str:
        return fitting(f"packyak-{slug(self.project)}", 32)

    @property
    def ground(self) -> str:
        """The stack with what holds data, and what makes images."""
        return self.own("ground")

    @property
    def flow(self) -> str:
        """The stack with the state machine, and what starts it; the state machine is called so too."""
        return self.own("flow")

    @property
    def studio(self) -> str:
        """The stack with the studio in the account; its cluster, service and role are called so too."""
        return self.own("studio")

    @property
    def door(self) -> str:
        """The load balancer before the studio."""
        return fitting(self.studio, 32)

    def units(self, number: int) -> str:
        """A stack with units; the first is 1."""
        return f"{self.prefix}-units-{number}"

    def of(self, unit: str) -> str:
        """A unit's role, function and task definition."""
        return fitting(f"{self.prefix}-unit-{unit}")

    def attached(self, unit: str, what: object) -> str:
        """One of the policies of a unit's role."""
        return fitting(f"{self.prefix}-unit-{unit}-{what}", 128)

    def log(self, unit: str) -> str:
        """A unit's log group."""
        return f"{self.own_log('units')}/{unit}"

    def own(self, what: str) -> str:
        """Something that every project has once; no unit is called so."""
        return f"{self.prefix}-{what}"

    def own_log(self, what: str) -> str:
        """Its log group."""
        return f"/packyak/{self.prefix}/{what}"

    def export(self, what: str) -> str:
        """The name under which the ground hands something to the other stacks."""
        return self.own(what)

    @property
    def machine_log(self) -> str:
        """The log of the state machine. Where a log begins so, its policy does not grow with every machine."""
        return f"/aws/vendedlogs/states/{self.prefix}"

    @property
    def logs(self) -> str:
        """The bucket of access logs, flow logs and the trail."""
        return fitting(f"{self.bucket}-logs", 63)

    @property
    def copy(self) -> str:
        """The bucket with the second copy of the home."""
        return fitting(f"{self.bucket}-copy", 63)

    @property
    def repository(self) -> str:
        """The repository of container images."""
        return f"packyak/{self.prefix.removeprefix('packyak-')}"

    @property
    def build(self) -> str:
        """The CodeBuild project that makes images."""
        return self.own("image")

    @property
    def boundary(self) -> str:
        """What no role of a unit can do more than."""
        return self.own("boundary")

    @property
    def dead_letters(self) -> str:
        """The queue of what could not be done."""
        return self.own("dead-letters")

    @property
    def arrivals(self) -> str:
        """The queue of new files and corrections, from which a run is started."""
        return self.own("arrivals")
