"""A placeholder inside an f-string."""
from kfp import dsl


@dsl.container_component
def work(text: str):
    return dsl.ContainerSpec(
        image="alpine:3.20",
        command=["echo", f"<{dsl.ConcatPlaceholder(['a', text])}>"],
    )
