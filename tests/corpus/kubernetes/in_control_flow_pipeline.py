"""Kubernetes features on tasks in loops, branches and exit handlers, with outputs of outer tasks."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def choose() -> str:
    return "secret"


@dsl.component(base_image="python:3.11-slim")
def work(text: str = ""):
    pass


@dsl.component(base_image="python:3.11-slim")
def done():
    pass


@dsl.pipeline(name="k8s-in-control-flow")
def in_control_flow(selector: dict = {"zone": "a"}, flag: bool = True):
    last = done()
    kubernetes.use_secret_as_env(last, "notify", {"token": "TOKEN"})
    chosen = choose()
    with dsl.ExitHandler(last):
        inside = choose()
        with dsl.If(flag == True):  # noqa: E712
            task = work(text="branch")
            kubernetes.use_secret_as_env(task, inside.output, {"k": "K"})
            kubernetes.add_node_selector_json(task, selector)
    with dsl.ParallelFor(["a", "b"]) as item:
        task = work(text=item)
        kubernetes.use_secret_as_volume(task, chosen.output, "/secret")
        kubernetes.mount_pvc(task, item, "/claim")
