"""IfPresentPlaceholder: with and without else, with lists, nested, on parameters and on artifacts."""
from kfp import dsl
from kfp.dsl import ConcatPlaceholder, Dataset, IfPresentPlaceholder, Input, Output


@dsl.container_component
def maybe(
    out: Output[Dataset],
    text: str = None,
    number: int = None,
    data: Input[Dataset] = None,
):
    return dsl.ContainerSpec(
        image="alpine:3.20",
        command=["run", IfPresentPlaceholder(input_name="text", then=["--text", text])],
        args=[
            IfPresentPlaceholder(input_name="text", then="has text"),
            IfPresentPlaceholder(input_name="text", then=["--text", text], else_=["--no-text"]),
            IfPresentPlaceholder(input_name="number", then=[ConcatPlaceholder(["--number=", number])], else_=["--no-number"]),
            IfPresentPlaceholder(
                input_name="text",
                then=[IfPresentPlaceholder(input_name="number", then=[text, number], else_=[text])],
                else_=[IfPresentPlaceholder(input_name="number", then=[number], else_=["neither"])],
            ),
            IfPresentPlaceholder(input_name="data", then=["--data", data.path], else_=["--out", out.path]),
        ],
    )


@dsl.pipeline(name="container-if-present")
def container_if_present(text: str = "t"):
    first = maybe()
    maybe(text=text, number=1, data=first.outputs["out"])
