"""set_container_image with constants and mixed text, on both kinds of component."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.container_component
def shell():
    return dsl.ContainerSpec(image="alpine:3.20", command=["true"])


@dsl.pipeline(name="task-container-image")
def task_container_image(tag: str = "1.0"):
    work()
    work().set_container_image("python:3.12-slim")
    work().set_container_image("registry.example:5000/a/b@sha256:" + "0" * 64)
    work().set_container_image(f"registry.example/team/work:{tag}")
    shell().set_container_image("busybox:1.36")
