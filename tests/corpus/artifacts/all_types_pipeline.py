"""Every artifact class as output and as input."""
from kfp import dsl
from kfp.dsl import (
    Artifact,
    ClassificationMetrics,
    Dataset,
    HTML,
    Input,
    Markdown,
    Metrics,
    Model,
    Output,
    SlicedClassificationMetrics,
)


@dsl.component(base_image="python:3.11-slim")
def produce(
    artifact: Output[Artifact],
    dataset: Output[Dataset],
    model: Output[Model],
    metrics: Output[Metrics],
    classification: Output[ClassificationMetrics],
    sliced: Output[SlicedClassificationMetrics],
    html: Output[HTML],
    markdown: Output[Markdown],
):
    metrics.log_metric("accuracy", 0.9)
    classification.log_confusion_matrix(["a", "b"], [[1, 2], [3, 4]])
    classification.log_roc_curve([0.0, 1.0], [0.0, 1.0], [1.0, 0.0])
    with open(html.path, "w") as file:
        file.write("<h1>Hello</h1>")
    with open(markdown.path, "w") as file:
        file.write("# Hello")
    model.metadata["framework"] = "none"


@dsl.component(base_image="python:3.11-slim")
def consume(
    artifact: Input[Artifact],
    dataset: Input[Dataset],
    model: Input[Model],
    metrics: Input[Metrics],
    classification: Input[ClassificationMetrics],
    sliced: Input[SlicedClassificationMetrics],
    html: Input[HTML],
    markdown: Input[Markdown],
):
    print(model.metadata, dataset.uri)


@dsl.component(base_image="python:3.11-slim")
def anything(thing: Input[Artifact]):
    print(thing.uri)


@dsl.pipeline(name="artifact-types")
def artifact_types():
    produced = produce()
    consume(**produced.outputs)
    for name in ("dataset", "model", "html"):
        anything(thing=produced.outputs[name])
