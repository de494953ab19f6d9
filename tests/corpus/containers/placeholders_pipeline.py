"""Every placeholder of inputs and outputs in a container component."""
from typing import List

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Metrics, Model, Output, OutputPath


@dsl.container_component
def produce(
    text: OutputPath(str), number: OutputPath(int), flag: OutputPath(bool), items: OutputPath(list), data: Output[Dataset]
):
    return dsl.ContainerSpec(
        image="alpine:3.20",
        command=["produce"],
        args=["--text", text, "--number", number, "--flag", flag, "--items", items, "--data", data.path,
              "--uri", data.uri],
    )


@dsl.container_component
def transform(
    text: str,
    number: int,
    ratio: float,
    flag: bool,
    items: List[str],
    mapping: dict,
    data: Input[Dataset],
    model: Output[Model],
    metrics: Output[Metrics],
    anything: Output[Artifact],
):
    return dsl.ContainerSpec(
        image="alpine:3.20",
        command=["transform", "--executor-input", dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER],
        args=[
            text, number, ratio, flag, items, mapping,
            data.path, data.uri, data.metadata, data.metadata["rows"],
            model.path, model.uri, model.metadata, model.metadata["framework"],
            metrics.path, anything.uri,
            f"--text={text}", f"{data.uri}/part-0", f"s3://bucket/{number}/{model.path}",
        ],
    )


@dsl.pipeline(name="container-placeholders")
def container_placeholders(mapping: dict = {"k": [1]}):
    produced = produce()
    transform(
        text=produced.outputs["text"],
        number=produced.outputs["number"],
        ratio=0.5,
        flag=produced.outputs["flag"],
        items=produced.outputs["items"],
        mapping=mapping,
        data=produced.outputs["data"],
    )
