"""Grants to declare where reading the code cannot tell what it does: `@function(grants=[S3.get("notes/*")])`.

Pure data: importing this loads neither boto3 nor anything of a deployment.
"""

from packyak.engine.declare.allow import S3 as S3
from packyak.engine.declare.allow import Allow as Allow
from packyak.engine.declare.allow import Dynamo as Dynamo
from packyak.engine.declare.allow import Files as Files
from packyak.engine.declare.allow import Queue as Queue
from packyak.engine.declare.allow import Secrets as Secrets
from packyak.engine.declare.allow import Topic as Topic

__all__ = ["S3", "Allow", "Dynamo", "Files", "Queue", "Secrets", "Topic"]
