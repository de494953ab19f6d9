"""The API of the SDK's version 1: ContainerOp."""
from kfp import dsl


@dsl.pipeline(name="container-op")
def container_op():
    dsl.ContainerOp(name="work", image="alpine:3.20", command=["true"])
