"""How long things are kept, and how often, under each profile; every figure with the demand that it answers.

`dev` is for trying out. `hipaa` keeps what shows who did what for six years and a second copy of the data. `gdpr` keeps
as little and as short as the work allows, so that what is erased is soon gone everywhere. Both together keep the
records of access long and everything that holds a person's data short. What a law asks of an organisation beside this
is the organisation's. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Profile: TypeAlias = Literal["dev", "hipaa", "gdpr", "hipaa+gdpr"]
PROFILES: tuple[Profile, ...] = ("dev", "hipaa", "gdpr", "hipaa+gdpr")


@dataclass(frozen=True)
class Retention:
    """noncurrent_days: how long a replaced or deleted object of the home can be brought back. run_log_days: what assets
    print. audit_days: the trail of every access, and the buckets' own access logs. copy: a second bucket that takes
    over every object. reserved: each unit has one place to run set aside. why: by figure."""

    noncurrent_days: int
    run_log_days: int
    audit_days: int
    copy: bool
    reserved: bool
    why: Mapping[str, str]


_OURS = {
    "noncurrent_days": "a mistake is noticed within a week; storage is paid twice meanwhile",
    "run_log_days": "long enough to look into a failed run",
    "audit_days": "long enough to answer who read what last quarter",
    "copy": "no second copy: versions bring back what was deleted, and nothing here is the only record of anything",
    "reserved": "a new account may run ten functions at once, and nothing could be set aside from them",
}
_SAFE = "45 CFR 164.308(a)(7)(ii)(A) asks for retrievable exact copies"
_AUDIT = "45 CFR 164.316(b)(2)(i) asks for six years; 2,192 days are the span of CloudWatch that covers them"
_ALONE = "one run of an asset at a time, which no other use of the account can crowd out"
_SHORT = "GDPR Art. 5(1)(e) and 17: what was erased must not live on in old versions"

RETENTION: Mapping[Profile, Retention] = {
    "dev": Retention(7, 14, 90, False, False, _OURS),
    "hipaa": Retention(
        90, 365, 2192, True, True,
        {
            "noncurrent_days": f"{_SAFE}: three months to notice a loss",
            "run_log_days": "45 CFR 164.308(a)(1)(ii)(D), review of system activity: a year to look back",
            "audit_days": _AUDIT,
            "copy": _SAFE,
            "reserved": _ALONE,
        },
    ),
    "gdpr": Retention(
        7, 30, 365, False, True,
        {
            "noncurrent_days": f"{_SHORT}; a week is the last day of every byte",
            "run_log_days": "Art. 5(1)(c) and (e): a function may print a person's data, so a month",
            "audit_days": "Art. 5(2) and 32(1)(d): a year shows who had access, and is itself data about people",
            "copy": f"{_SHORT}, and fewer copies are less to find; versions bring back what was lost (Art. 32(1)(c))",
            "reserved": _ALONE,
        },
    ),
    "hipaa+gdpr": Retention(
        30, 30, 2192, True, True,
        {
            "noncurrent_days": f"{_SAFE}; {_SHORT}: a month is between the two, in both buckets",
            "run_log_days": "Art. 5(1)(e): a function may print a person's data; who did what is in the trail",
            "audit_days": f"{_AUDIT}, a legal obligation in the sense of Art. 17(3)(b)",
            "copy": f"{_SAFE}; deletions and expiry reach the copy too",
            "reserved": _ALONE,
        },
    ),
}  # fmt: skip
