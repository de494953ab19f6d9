"""Imports whose address comes from a parameter, an output, a string of both, and a loop."""
from typing import List

from kfp import dsl
from kfp.dsl import Dataset, Input


@dsl.component(base_image="python:3.11-slim")
def locate() -> str:
    return "s3://bucket/data"


@dsl.component(base_image="python:3.11-slim")
def use(data: Input[Dataset]) -> int:
    return 1


@dsl.pipeline(name="inner-import")
def inner(uri: str) -> Dataset:
    return dsl.importer(uri, Dataset).output


@dsl.pipeline(name="importer-dynamic")
def importer_dynamic(uri: str = "s3://bucket/a", uris: List[str] = ["s3://bucket/b"]):
    use(data=dsl.importer(uri, Dataset).output)
    use(data=dsl.importer(locate().output, Dataset, reimport=True).output)
    with dsl.ParallelFor(uris) as item:
        use(data=dsl.importer(item, Dataset).output)
    with dsl.ParallelFor(["s3://bucket/c", "s3://bucket/d"]) as item:
        imported = dsl.importer(artifact_uri=item, artifact_class=Dataset)
        use(data=imported.output)
    use(data=inner(uri=uri).output)
