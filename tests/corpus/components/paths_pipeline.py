"""InputPath and OutputPath, of parameters and of artifacts, given as types and as names."""
from kfp import dsl
from kfp.dsl import Dataset, InputPath, Model, OutputPath


@dsl.component(base_image="python:3.11-slim")
def produce(
    text: OutputPath(str),
    number: OutputPath(int),
    items: OutputPath(list),
    data: OutputPath(Dataset),
    model: OutputPath("Model"),
    custom: OutputPath("MyOwnType"),
    untyped: OutputPath(),
    flag: OutputPath("Boolean"),
):
    pass


@dsl.component(base_image="python:3.11-slim")
def consume(
    data: InputPath(Dataset),
    model: InputPath(Model),
    custom: InputPath("MyOwnType"),
    text: str,
    number: int,
):
    pass


@dsl.pipeline(name="paths")
def paths():
    produced = produce()
    consume(
        data=produced.outputs["data"],
        model=produced.outputs["model"],
        custom=produced.outputs["custom"],
        text=produced.outputs["text"],
        number=produced.outputs["number"],
    )
