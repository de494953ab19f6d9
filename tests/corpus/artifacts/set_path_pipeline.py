"""Bodies that set the path, the address and the metadata of artifacts."""
from kfp import dsl
from kfp.dsl import Dataset, Input, Output


@dsl.component(base_image="python:3.11-slim")
def write(data: Output[Dataset], bucket: str):
    data.uri = f"s3://{bucket}/data.parquet"
    data.metadata.update({"rows": 3, "columns": ["a", "b"]})
    data.custom_path = "/mnt/data/data.parquet"


@dsl.component(base_image="python:3.11-slim")
def read(data: Input[Dataset]):
    print(data.name, data.uri, data.path, data.metadata)


@dsl.pipeline(name="set-path")
def set_path(bucket: str = "b"):
    read(data=write(bucket=bucket).outputs["data"])
