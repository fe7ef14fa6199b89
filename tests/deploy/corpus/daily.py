"""What people write every day with tables, models and files."""

import asyncio
import concurrent.futures
import dataclasses
import enum
import functools
import gzip
import io
import json
import logging
import operator
import os
import pathlib
import tempfile
import time

import boto3
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.config import Config
from botocore.exceptions import ClientError

logger = logging.getLogger(__name__)
BUCKET = "prod-data"
PREFIX = "raw/"
res = boto3.resource("s3", region_name="us-east-1")


@functools.lru_cache(maxsize=1)
def client():
    return boto3.client("s3", region_name="us-east-1", config=Config(retries={"max_attempts": 3}))


def list_keys(bucket, prefix):
    #: frames_of_a_prefix s3:ListBucket prod-data [raw/]
    #: moved_to_the_archive s3:ListBucket prod-data [raw/]
    #: deleted_by_thousands s3:ListBucket prod-data [tmp/]
    for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for o in page.get("Contents", []):
            yield o["Key"]


class Repo:
    def __init__(self, bucket: str, client=None):
        self.bucket = bucket
        self.client = client or boto3.client("s3", region_name="us-east-1")

    def save(self, key: str, obj: dict) -> None:
        #: repository s3:PutObject repo-bucket/docs/*
        self.client.put_object(Bucket=self.bucket, Key=self._k(key), Body=json.dumps(obj))

    def load(self, key: str):
        #: repository s3:GetObject repo-bucket/docs/*
        #: repository_made_here s3:GetObject prod-data/docs/a.json
        #: repository_that_remembers s3:GetObject cb/docs/index.json
        return json.loads(self.client.get_object(Bucket=self.bucket, Key=self._k(key))["Body"].read())

    def exists(self, key):
        try:
            #: repository s3:GetObject repo-bucket/docs/*
            self.client.head_object(Bucket=self.bucket, Key=self._k(key))
            return True
        except ClientError as e:
            if e.response["Error"]["Code"] in ("404", "NoSuchKey"):
                return False
            raise

    @staticmethod
    def _k(key):
        return f"docs/{key}.json"


repo = Repo("repo-bucket")


class Cached(Repo):
    @functools.cached_property
    def idx(self):
        return self.load("index")

    def load(self, key):
        logger.info("load %s", key)
        return super().load(key)


class Stage(enum.Enum):
    RAW = "raw"
    CLEAN = "clean"

    @property
    def prefix(self):
        return f"{self.value}/"


@dataclasses.dataclass(frozen=True)
class Loc:
    bucket: str
    key: str

    @classmethod
    def parse(cls, uri):
        b, _, k = uri.removeprefix("s3://").partition("/")
        return cls(b, k)

    def read(self):
        #: place_by_an_address s3:GetObject locb/a/b.json
        #: place_by_a_name s3:GetObject la/ka
        #: place_by_a_name s3:GetObject lb/kb
        return client().get_object(Bucket=self.bucket, Key=self.key)["Body"].read()


LOCS = {"a": Loc("la", "ka"), "b": Loc("lb", "kb")}


def retry(n):
    def deco(f):
        @functools.wraps(f)
        def w(*a, **k):
            for i in range(n):
                try:
                    return f(*a, **k)
                except ClientError:
                    time.sleep(2**i)
            raise RuntimeError

        return w

    return deco


# case: frames_of_a_prefix
def frames_of_a_prefix():
    return [
        #: s3:GetObject prod-data/raw/*
        pd.read_csv(io.BytesIO(client().get_object(Bucket=BUCKET, Key=k)["Body"].read()))
        for k in list_keys(BUCKET, PREFIX)
        if k.endswith(".csv")
    ]


# case: a_day_of_a_table
def a_day_of_a_table(df: pd.DataFrame, day: str):
    buf = io.BytesIO()
    df.to_parquet(buf, index=False)
    buf.seek(0)
    #: s3:PutObject prod-data/curated/dt=*
    client().upload_fileobj(buf, BUCKET, f"curated/dt={day}/part.parquet")


# case: the_latest_object
def the_latest_object():
    #: s3:ListBucket prod-data [raw/]
    latest = max((o for o in res.Bucket(BUCKET).objects.filter(Prefix=PREFIX)), key=lambda o: o.last_modified)
    #: s3:GetObject prod-data/raw/*
    return json.loads(latest.get()["Body"].read())


# case: all_but_the_latest
def all_but_the_latest():
    objs = sorted(
        #: s3:ListBucket prod-data [raw/]
        res.Bucket(BUCKET).objects.filter(Prefix=PREFIX),
        key=operator.attrgetter("last_modified"),
        reverse=True,
    )
    for o in objs[10:]:
        #: s3:DeleteObject prod-data/raw/*
        o.delete()


# case: lock_let_go
def lock_let_go():
    with contextlib.suppress(ClientError):
        #: s3:DeleteObject prod-data/tmp/lock
        client().delete_object(Bucket=BUCKET, Key="tmp/lock")


# case: table_of_a_body
def table_of_a_body():
    #: s3:GetObject prod-data/a.parquet
    t = pq.read_table(io.BytesIO(client().get_object(Bucket=BUCKET, Key="a.parquet")["Body"].read()))
    return t.to_pandas()


# case: repository
def repository(x):
    if not repo.exists(x):
        repo.save(x, {})
    return repo.load(x)


# case: repository_made_here
def repository_made_here():
    return Repo(bucket=BUCKET).load("a")


# case: repository_that_remembers
def repository_that_remembers():
    return Cached("cb").idx


# case: uploads_at_once
def uploads_at_once(files):
    with concurrent.futures.ThreadPoolExecutor(8) as ex:
        #: s3:PutObject prod-data/up/*
        futs = [ex.submit(client().upload_file, f, BUCKET, f"up/{os.path.basename(f)}") for f in files]
        for f in concurrent.futures.as_completed(futs):
            f.result()


# case: frame_beside
def frame_beside():
    return pd.DataFrame({"a": [1]}).to_parquet(pathlib.Path("/tmp") / "x.parquet")


# case: frame_beside_the_code
def frame_beside_the_code():
    return pd.read_parquet(os.path.join(os.path.dirname(__file__), "x.parquet"))


# case: reader_by_its_ending
def reader_by_its_ending(name):
    return {"csv": pd.read_csv, "json": pd.read_json}[name]("data/x")


# case: table_in_memory
def table_in_memory(rows):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    #: s3:PutObject prod-data/x
    client().put_object(Bucket=BUCKET, Key="x", Body=sink.getvalue().to_pybytes())


# case: moved_to_the_archive
def moved_to_the_archive():
    for k in list_keys(BUCKET, PREFIX):
        #: s3:GetObject prod-data/raw/*
        #: s3:PutObject prod-data/*
        client().copy_object(
            Bucket=BUCKET, CopySource={"Bucket": BUCKET, "Key": k}, Key=k.replace(PREFIX, "archive/", 1)
        )
        #: s3:DeleteObject prod-data/raw/*
        client().delete_object(Bucket=BUCKET, Key=k)


# case: deleted_by_thousands
def deleted_by_thousands():
    keys = [{"Key": k} for k in list_keys(BUCKET, "tmp/")]
    for i in range(0, len(keys), 1000):
        #: s3:DeleteObject prod-data/tmp/*
        client().delete_objects(Bucket=BUCKET, Delete={"Objects": keys[i : i + 1000], "Quiet": True})


# case: prefix_of_a_member
def prefix_of_a_member(st: Stage = Stage.RAW):
    #: s3:ListBucket prod-data [clean/]
    client().list_objects_v2(Bucket=BUCKET, Prefix=Stage.CLEAN.prefix)


# case: place_by_an_address
def place_by_an_address():
    return Loc.parse("s3://locb/a/b.json").read()


# case: place_by_a_name
def place_by_a_name(n):
    return LOCS[n].read()


# case: gets_in_executors
async def gets_in_executors(keys):
    loop = asyncio.get_event_loop()
    return await asyncio.gather(
        #: s3:GetObject prod-data/*
        *[loop.run_in_executor(None, lambda k=k: client().get_object(Bucket=BUCKET, Key=k)) for k in keys]
    )


# case: tried_three_times
@retry(3)
def tried_three_times():
    #: s3:GetObject prod-data/k
    return client().get_object(Bucket=BUCKET, Key="k")


# case: lines_of_a_packed_body
def lines_of_a_packed_body():
    #: s3:GetObject prod-data/big.gz
    body = client().get_object(Bucket=BUCKET, Key="big.gz")["Body"]
    with gzip.GzipFile(fileobj=body) as g:
        for line in g:
            json.loads(line)


# case: address_taken_apart_by_a_pattern
def address_taken_apart_by_a_pattern(path):
    m = re.match(r"s3://([^/]+)/(.*)", path)
    #: refused
    client().download_file(m.group(1), m.group(2), "/tmp/x")


# case: what_an_event_names
def what_an_event_names(event, context):
    rec = event["Records"][0]["s3"]
    #: refused
    obj = client().get_object(Bucket=rec["bucket"]["name"], Key=rec["object"]["key"])
