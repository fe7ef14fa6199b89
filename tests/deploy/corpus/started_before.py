"""What another module imports."""

import boto3

s3 = boto3.client("s3", region_name="us-east-1")
STATE = dict[str, object]()


def fill():
    for name in ("a", "b"):
        if "asked" in STATE:
            #: called_while_imported s3:GetObject before/a
            #: called_while_imported s3:GetObject before/b
            #: decorated_while_imported s3:GetObject before/a
            #: decorated_while_imported s3:GetObject before/b
            STATE[name] = s3.get_object(Bucket="before", Key=name)


fill()
