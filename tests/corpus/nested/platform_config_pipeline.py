"""Kubernetes features inside a sub-pipeline that is used twice, and in a loop."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def step(text: str = "") -> str:
    return text


@dsl.pipeline(name="inner-secret")
def inner(secret: str, text: str = "x"):
    task = step(text=text)
    kubernetes.use_secret_as_env(task, secret, {"password": "PASSWORD"})
    kubernetes.add_node_selector(task, "disk", "ssd")
    other = step(text=task.output)
    kubernetes.add_pod_label(other, "team", "data")


@dsl.pipeline(name="nested-platform-config")
def outer(secret: str = "one"):
    inner(secret=secret)
    inner(secret="two")
    with dsl.ParallelFor(["a", "b"]) as item:
        inner(secret=item)
        kubernetes.add_toleration(step(text=item), key="spot", operator="Exists")
