"""What changes from one plan to the next, in words: who is new, who goes, and who may do more than before and why.

A plan is compared by what it says of assets, functions, triggers and grants, with places relative to the home, so that
another bucket or account is no difference. A role that was there before and may do more is told apart, as widened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields

from packyak.deploy.grants.declared import CloudHome
from packyak.deploy.grants.grant import Grant
from packyak.deploy.grants.seen import place_of
from packyak.deploy.plan import CloudPlan, Role, Trigger, Unit
from packyak.deploy.publish import door
from packyak.deploy.publish.cost import an_hour_open
from packyak.deploy.publish.records import Change, Diff

VERBS = {
    "ListBucket": "list",
    "GetObject": "read",
    "PutObject": "write",
    "DeleteObject": "delete",
    "Decrypt": "decrypt",
    "GenerateDataKey": "encrypt",
}
TOLD_APART = ("name", "kind", "place", "doc", "reads", "code", "size")  # the rest of a unit is told by its field's name
STARTS = {"file": "on new files {}", "every": "every {} seconds", "cron": "at {}", "message": "on messages of {}"}


def plan_diff(before: CloudPlan | None, after: CloudPlan) -> Diff:
    """What publishing `after` changes where `before` stands (None: nothing stands yet)."""
    let_in, put_otherwise, let_in_more = door.told(before, after, sum(each.dollars for each in an_hour_open(after)))
    if before is None:
        return Diff(added=(*(_new(unit, after) for unit in after.units), *let_in), first=True)
    old, new = ({unit.name: unit for unit in plan.units} for plan in (before, after))
    added = [_new(new[name], after) for name in new if name not in old]
    gone = [_gone(old[name]) for name in old if name not in new]
    changed = [change for name in new if name in old for change in _unit(old[name], new[name])]
    started, ended = _triggers(before, after, set(old) & set(new))
    widened, narrowed = _grants(before, after)
    changed += [*narrowed, *_buckets(before, after), *_whole(before, after), *put_otherwise]
    widened += let_in_more
    return Diff((*added, *started), (*gone, *ended), tuple(changed), tuple(widened))


def _whole(before: CloudPlan, after: CloudPlan) -> Iterator[Change]:
    """What is said of the deployment as a whole."""
    for name in ("profile", "budget", "notify"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            yield Change(f"{name} is {_shown(other)}, it was {_shown(one)}")


def _new(unit: Unit, plan: CloudPlan) -> Change:
    role = plan.role(unit.name)
    what = f"reads {', '.join(unit.reads)}" if unit.reads else "reads nothing"
    grants = f", {len(role.grants)} grants" if role else ""
    return Change(f"{unit.name} is new: {_a(_kind(unit))} that {what}{grants}", unit.name, unit.place)


def _kind(unit: Unit) -> str:
    return {"learned": "learned transform", "sql": "query"}.get(unit.kind, unit.kind)


def _gone(unit: Unit) -> Change:
    return Change(f"{unit.name} goes with its role; its records stay in the home", unit.name, unit.place)


def _a(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def _unit(old: Unit, new: Unit) -> Iterator[Change]:
    def told(words: str) -> Change:
        return Change(f"{new.name} {words}", new.name, new.place)

    if old.kind != new.kind:
        yield told(f"becomes {_a(_kind(new))}, it was {_a(_kind(old))}")
    more, less = _differ(old.reads, new.reads)
    if more:
        yield told(f"now reads {', '.join(more)}")
    if less:
        yield told(f"no longer reads {', '.join(less)}")
    if old.code != new.code:
        yield told("has other code")
    for field in fields(old.size):
        one, other = getattr(old.size, field.name), getattr(new.size, field.name)
        if one != other:
            yield told(f"has another {field.name}: {other}, it was {one}")
    for field in fields(Unit):
        one, other = getattr(old, field.name), getattr(new, field.name)
        if field.name not in TOLD_APART and one != other:
            yield told(f"has another {field.name}: {_shown(other)}, it was {_shown(one)}")


def _shown(value: object) -> str:
    return (", ".join(map(str, value)) if isinstance(value, tuple) else str(value)) or "nothing"


def _differ(old: Iterable[str], new: Iterable[str]) -> tuple[list[str], list[str]]:
    one, other = list(old), list(new)
    return [each for each in other if each not in one], [each for each in one if each not in other]


def _triggers(before: CloudPlan, after: CloudPlan, both: set[str]) -> tuple[list[Change], list[Change]]:
    """Of what is there before and after; what is new or goes says that itself."""
    old, new = ({(each.kind, each.of, each.starts): each for each in plan.triggers} for plan in (before, after))
    both = both | {""}  # everything in turn
    started = [_starts(new[key], "starts") for key in new if key not in old and key[2] in both]
    ended = [_starts(old[key], "no longer starts") for key in old if key not in new and key[2] in both]
    return started, ended


def _starts(trigger: Trigger, verb: str) -> Change:
    when = STARTS.get(trigger.kind, f"by {trigger.kind} {{}}").format(trigger.of)
    return Change(f"{trigger.starts or 'a whole run'} {verb} {when}", trigger.starts, trigger.place)


def _buckets(before: CloudPlan, after: CloudPlan) -> Iterator[Change]:
    more, less = _differ([each.name for each in before.buckets], [each.name for each in after.buckets])
    places = {each.name: each.place for each in after.buckets}
    yield from (Change(f"the bucket {name} is new", name, places[name]) for name in more)
    yield from (Change(f"the bucket {name} is declared no more; its files stay", name) for name in less)


def _grants(before: CloudPlan, after: CloudPlan) -> tuple[list[Change], list[Change]]:
    """What roles gain and lose that were there before."""
    widened, narrowed = list[Change](), list[Change]()
    for role in after.roles:
        old = before.role(role.name)
        if old is not None:
            gained = list(_beyond(role, after.home, old, before.home))
            widened += _told(role.name, "gains", gained, after.home)
            narrowed += _told(role.name, "loses", list(_beyond(old, before.home, role, after.home)), before.home)
    return widened, narrowed


def gained(before: CloudPlan | None, after: CloudPlan) -> tuple[Grant, ...]:
    """Every grant of `after` that its role did not have, new roles included."""
    found: list[Grant] = []
    for role in after.roles:
        old = before.role(role.name) if before else None
        found += role.grants if old is None or before is None else _beyond(role, after.home, old, before.home)
    return tuple(found)


def _beyond(one: Role, home: CloudHome, other: Role, other_home: CloudHome) -> Iterator[Grant]:
    """The grants of one role that nothing of the other covers."""
    covering = [(each.action, place_of(each, other_home)) for each in other.grants]
    for grant in one.grants:
        place = place_of(grant, home)
        if not any(action == grant.action and _covers(known, place) for action, known in covering):
            yield grant


def _covers(pattern: str, place: str) -> bool:
    """Whether one place lies within another; `*` stands only at a place's end."""
    return pattern == place or (pattern.endswith("*") and place.startswith(pattern[:-1]))


def _told(role: str, verb: str, grants: list[Grant], home: CloudHome) -> Iterator[Change]:
    """`summary gains list and read of patients, because of flow.py:41`: one sentence for each thing and line."""
    groups: dict[tuple[str, str], dict[str, None]] = {}
    for grant in grants:
        places = ", ".join(dict.fromkeys(each.place for each in grant.evidence if each.place))
        why = places or "; ".join(dict.fromkeys(each.why for each in grant.evidence))
        action = grant.action.rpartition(":")[2]
        groups.setdefault((thing(place_of(grant, home)), why), {})[VERBS.get(action, grant.action)] = None
    for (what, why), verbs in groups.items():
        because = f", because of {why}" if why and verb == "gains" else ""
        place = why if verb == "gains" and why.rpartition(":")[2].isdigit() else ""
        yield Change(f"{role} {verb} {_and(list(verbs))} of {what}{because}", role, place)


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def thing(place: str) -> str:
    """What a place in the home is, as people call it: `tables/topic.lance/*` is topic."""
    folder, _, rest = place.partition("/")
    name = rest.partition(".lance")[0]
    if folder in ("tables", "memo", "indexes") and name != rest:
        return {"tables": name, "memo": f"the bookkeeping of {name}", "indexes": f"the index {name}"}[folder]
    if folder == "buckets":
        return f"files {rest}" if rest.strip("/") else "files"
    return place
