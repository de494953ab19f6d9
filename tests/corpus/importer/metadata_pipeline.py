"""Imports with metadata: constants of every type, parameters, outputs and strings of them, as keys and values."""
from kfp import dsl
from kfp.dsl import Dataset


@dsl.component(base_image="python:3.11-slim")
def describe() -> str:
    return "text"


@dsl.pipeline(name="importer-metadata")
def importer_metadata(name: str = "n", number: int = 1, mapping: dict = {"k": "v"}, items: list = [1]):
    described = describe()
    dsl.importer("s3://bucket/a", Dataset, metadata={})
    dsl.importer(
        "s3://bucket/b",
        Dataset,
        metadata={"text": "x", "number": 1, "ratio": 0.5, "flag": True, "items": [1, "two"], "nested": {"deep": {"er": 1}},
                  "1e3": "null", "": "", "größe": "🚀"},
    )
    dsl.importer(
        "s3://bucket/c",
        Dataset,
        reimport=True,
        metadata={"name": name, "again": name, "output": described.output, "both": f"{name}/{described.output}",
                  name: "key", f"key-{name}": number, "mapping": mapping, "items": [items, name, [described.output]]},
    )
