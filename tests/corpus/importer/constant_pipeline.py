"""Imports with constant addresses of several stores, and of every artifact class."""
from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model


@dsl.component(base_image="python:3.11-slim")
def use(data: Input[Dataset]):
    pass


@dsl.component(base_image="python:3.11-slim")
def use_model(model: Input[Model]):
    pass


@dsl.pipeline(name="importer-constant")
def importer_constant():
    use(data=dsl.importer(artifact_uri="s3://bucket/data.csv", artifact_class=Dataset).output)
    use(data=dsl.importer("gs://bucket/größe data.csv", Dataset, reimport=True).output)
    use(data=dsl.importer("minio://mlpipeline/data", Dataset, reimport=False).outputs["artifact"])
    use_model(model=dsl.importer("oci://registry.example/model:1.0", Model).output)
    use_model(model=dsl.importer("huggingface://org/model", Model).output)
    for artifact_class in (Artifact, dsl.Metrics, dsl.ClassificationMetrics, dsl.SlicedClassificationMetrics, dsl.HTML,
                           dsl.Markdown):
        dsl.importer("s3://bucket/x", artifact_class)
