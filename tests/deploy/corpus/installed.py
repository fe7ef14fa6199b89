"""Installed packages that open addresses."""

import io

import boto3
import pandas as pd

s3 = boto3.client("s3", region_name="us-east-1")


# case: known_address
def known_address():
    #: s3:GetObject lake/in/a.csv
    return pd.read_csv("s3://lake/in/a.csv")


# case: written_address
def written_address(rows):
    #: s3:PutObject lake/out/a.parquet
    pd.DataFrame(rows).to_parquet("s3://lake/out/a.parquet")


# case: known_table
def known_table():
    import pyarrow.parquet as pq

    #: s3:GetObject lake/in/a.parquet
    return pq.read_table("s3://lake/in/a.parquet")


# case: from_bytes
def from_bytes():
    #: s3:GetObject notes/a.csv
    body = s3.get_object(Bucket="notes", Key="a.csv")["Body"]
    return pd.read_csv(io.BytesIO(body.read()))


# case: local_path
def local_path(name):
    return pd.read_csv(f"/tmp/{name}.csv")
