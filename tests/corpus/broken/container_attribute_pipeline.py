"""An attribute that artifacts of container components do not have."""
from kfp import dsl


@dsl.container_component
def work(data: dsl.Output[dsl.Dataset]):
    return dsl.ContainerSpec(image="alpine:3.20", command=["echo", data.size])
