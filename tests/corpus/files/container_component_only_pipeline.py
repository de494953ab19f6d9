"""No pipeline, and exactly one container component."""
from kfp import dsl


@dsl.container_component
def lonely(text: str, out: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image="alpine:3.20", command=["sh", "-c"], args=['echo "$0" > "$1"', text, out])
