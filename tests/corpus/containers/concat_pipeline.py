"""ConcatPlaceholder with text, parameters of every type, artifacts, and other placeholders."""
from kfp import dsl
from kfp.dsl import ConcatPlaceholder, Dataset, IfPresentPlaceholder, Input, Output


@dsl.container_component
def concat(text: str, number: int, data: Input[Dataset], out: Output[Dataset], extra: str = None):
    return dsl.ContainerSpec(
        image="alpine:3.20",
        command=["run", ConcatPlaceholder(["--text=", text])],
        args=[
            ConcatPlaceholder([text]),
            ConcatPlaceholder(["a", text, "-", number, "-", data.path, ":", out.uri]),
            ConcatPlaceholder(["outer(", ConcatPlaceholder(["inner(", text, ")"]), ")"]),
            ConcatPlaceholder(['{"json": "', text, '", "quote": "\\""}']),
            ConcatPlaceholder(["--x=", IfPresentPlaceholder("extra", then=extra, else_="none")]),
            ConcatPlaceholder(["ümlaut 🚀 ", text]),
        ],
    )


@dsl.component(base_image="python:3.11-slim")
def make(data: Output[Dataset]):
    pass


@dsl.pipeline(name="container-concat")
def container_concat(text: str = "t", number: int = 2):
    made = make()
    concat(text=text, number=number, data=made.outputs["data"])
    concat(text="constant", number=1, data=made.outputs["data"], extra="given")
