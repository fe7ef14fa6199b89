"""What a function does in AWS, read from its code: `infer(function)` gives actions with resources and lines.

What cannot be told is refused. Works on live functions after import, on any that uses boto3 or declared buckets,
without credentials, region or network.
"""

from packyak.deploy.grants.infer.found import Action, Inference, Need, Refusal
from packyak.deploy.grants.infer.start import infer

__all__ = ["Action", "Inference", "Need", "Refusal", "infer"]
