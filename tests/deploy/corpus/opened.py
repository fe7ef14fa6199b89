"""What opens addresses: by position, by any name, through methods, queries, file systems and packages not installed."""

import io
import os
import pathlib
import sqlite3
import tempfile
import urllib.parse

import boto3
import duckdb
import fsspec
import lance
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.dataset as pads
import pyarrow.fs as pafs
import pyarrow.parquet as pq

s3 = boto3.client("s3", region_name="us-east-1")


# case: file_system_of_s3
def file_system_of_s3():
    #: refused
    fs = fsspec.filesystem("s3")
    with fs.open("bucket/key") as f:
        return f.read()


# case: file_system_of_this_machine
def file_system_of_this_machine():
    return fsspec.filesystem("file").ls("/tmp")


# case: opened_by_name
def opened_by_name(path):
    #: refused
    with fsspec.open(urlpath=path, mode="w") as f:
        f.write("x")


# case: file_system_of_an_address
def file_system_of_an_address(path):
    #: refused
    fs, p = fsspec.core.url_to_fs(path)
    fs.rm(p)


# case: mapper_of_an_address
def mapper_of_an_address(path):
    #: refused
    return fsspec.get_mapper(path)["x"]


# case: cached_address
def cached_address():
    #: refused
    with fsspec.open("simplecache::s3://b/k", "rb") as f:
        return f.read()


# case: arrow_on_s3
def arrow_on_s3():
    #: refused
    fs = pafs.S3FileSystem(region="us-east-1")
    with fs.open_input_stream("b/k") as f:
        return f.read()


# case: arrow_on_an_address
def arrow_on_an_address(uri):
    #: refused
    fs, path = pafs.FileSystem.from_uri(uri)
    fs.delete_file(path)


# case: parquet_file
def parquet_file(path):
    #: refused
    return pq.ParquetFile(path).read()


# case: parquet_writer
def parquet_writer(path, table):
    #: refused
    with pq.ParquetWriter(path, table.schema) as w:
        w.write_table(table)


# case: table_written_here
def table_written_here(rows):
    pq.write_table(pa.Table.from_pylist(rows), "out.parquet")


# case: table_written_by_name
def table_written_by_name(rows, path):
    #: refused
    pq.write_table(table=pa.Table.from_pylist(rows), where=path)


# case: table_read_by_name
def table_read_by_name(path):
    #: refused
    return pq.read_table(source=path)


# case: dataset_of_files
def dataset_of_files(path):
    #: refused
    return pads.dataset(path, format="parquet").to_table()


# case: csv_written_by_arrow
def csv_written_by_arrow(t, p):
    #: refused
    pacsv.write_csv(t, p)


# case: json_by_name
def json_by_name(path):
    #: refused
    return pd.read_json(path_or_buf=path)


# case: sheet_by_name
def sheet_by_name(path):
    #: refused
    return pd.read_excel(io=path)


# case: frame_written_by_name
def frame_written_by_name(rows, path):
    #: refused
    pd.DataFrame(rows).to_parquet(path=path)


# case: sheets_written
def sheets_written(rows, path):
    #: refused
    with pd.ExcelWriter(path) as w:
        pd.DataFrame(rows).to_excel(w)


# case: frame_to_a_path_from_outside
def frame_to_a_path_from_outside(rows, path):
    #: refused
    pd.DataFrame(rows).to_csv(path, index=False)


# case: frame_read_and_written_here
def frame_read_and_written_here():
    return pd.read_csv("in.csv").groupby("a").sum().to_csv("out.csv")


# case: frame_changed_and_written
def frame_changed_and_written():
    #: s3:PutObject b/out.csv
    return pd.read_csv("in.csv").groupby("a").sum().to_csv("s3://b/out.csv")


# case: read_through_map
def read_through_map(files):
    #: refused
    return pd.concat(map(pd.read_csv, files))


# case: path_of_an_object_from_outside
def path_of_an_object_from_outside(cfg):
    #: refused
    return pd.read_csv(cfg.path)


# case: files_of_a_folder_here
def files_of_a_folder_here():
    return [pd.read_csv(p) for p in pathlib.Path("data").glob("*.csv")]


# case: through_a_temporary_folder
def through_a_temporary_folder(rows):
    with tempfile.TemporaryDirectory() as d:
        p = os.path.join(d, "x.parquet")
        pd.DataFrame(rows).to_parquet(p)
        #: s3:PutObject b/k
        s3.upload_file(p, "b", "k")


# case: through_a_temporary_file
def through_a_temporary_file():
    with tempfile.NamedTemporaryFile(suffix=".csv") as f:
        #: s3:GetObject b/k
        s3.download_file("b", "k", f.name)
        return pd.read_csv(f.name)


# case: frame_of_a_body
def frame_of_a_body():
    import pandas as pd

    #: s3:GetObject b/k.csv
    return pd.read_csv(s3.get_object(Bucket="b", Key="k.csv")["Body"])


# case: frame_of_an_open_file
def frame_of_an_open_file(p):
    import pandas as pd

    with open(p) as f:
        return pd.read_csv(f)


# case: polars_written
def polars_written(rows, path):
    import polars as pl

    #: refused
    pl.DataFrame(rows).write_parquet(path)


# case: polars_scanned_by_name
def polars_scanned_by_name(path):
    import polars as pl

    #: refused
    return pl.scan_parquet(source=path).collect()


# case: query_with_a_path
def query_with_a_path(path):
    #: refused
    return duckdb.sql(f"select * from read_parquet('{path}')").df()


# case: query_from_outside
def query_from_outside(query):
    con = duckdb.connect()
    con.execute("load httpfs")
    #: refused
    return con.execute(query).fetchall()


# case: query_with_a_path_given
def query_with_a_path_given(path):
    con = duckdb.connect()
    #: refused
    return con.execute("select * from read_parquet(?)", [path]).fetchall()


# case: query_that_writes
def query_that_writes(path):
    con = duckdb.connect()
    #: refused
    con.sql(f"copy (select 1) to '{path}/x.parquet'")


# case: relation_written
def relation_written(path):
    #: refused
    duckdb.connect().sql("select 1").write_parquet(path)


# case: query_on_nothing
def query_on_nothing():
    return duckdb.connect().execute("select 1").fetchall()


# case: query_with_a_value
def query_with_a_value(name):
    return duckdb.connect().execute("select * from t where n = ?", [name]).fetchall()


# case: query_of_another_database
def query_of_another_database(name):
    c = sqlite3.connect("x.db")
    return c.execute(f"select * from {name}").fetchall()


# case: package_of_aws_not_installed
def package_of_aws_not_installed(path):
    import awswrangler as wr

    #: refused
    return wr.s3.read_parquet(path=path)


# case: opened_by_a_package_not_installed
def opened_by_a_package_not_installed(uri):
    from smart_open import open as sopen

    #: refused
    with sopen(uri=uri) as f:
        return f.read()


# case: path_of_a_package_not_installed
def path_of_a_package_not_installed(base):
    from upath import UPath

    #: refused
    return (UPath(base) / "x").read_text()


# case: path_in_s3_by_its_name
def path_in_s3_by_its_name():
    from s3path import S3Path

    #: refused
    S3Path("/bucket/key").unlink()


# case: lance_by_name
def lance_by_name(rows, uri):
    import lance

    #: refused
    lance.dataset(uri=uri)


# case: parts_of_an_address
def parts_of_an_address():
    u = urllib.parse.urlparse("s3://b/k")
    #: s3:GetObject b/k
    s3.get_object(Bucket=u.netloc, Key=u.path.lstrip("/"))


# case: folder_of_dask
def folder_of_dask():
    import dask.dataframe as dd

    #: refused
    return dd.read_parquet("local/x").to_parquet("s3://b/x")


# case: table_of_delta
def table_of_delta(p):
    from deltalake import write_deltalake

    #: refused
    write_deltalake(p, pd.DataFrame())


# case: spark_on_a_path
def spark_on_a_path(p):
    from pyspark.sql import SparkSession

    #: refused
    return SparkSession.builder.getOrCreate().read.parquet(p)


# case: class_that_speaks_of_aws
def class_that_speaks_of_aws():
    from anthropic import AnthropicBedrock

    #: refused
    return AnthropicBedrock().messages.create(model="x", messages=[], max_tokens=1)


# case: module_that_speaks_of_aws
def module_that_speaks_of_aws():
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    #: refused
    return S3Hook().read_key("k", "b")


# case: artifact_of_a_tracking_server
def artifact_of_a_tracking_server(path):
    import mlflow

    #: refused
    mlflow.log_artifact(path)


# case: model_named_by_its_house
def model_named_by_its_house(text):
    from litellm import completion

    #: refused
    return completion("bedrock/claude", [{"role": "user", "content": text}])
