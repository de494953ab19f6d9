"""Image pull secrets and policies."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def choose() -> str:
    return "secret"


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="k8s-image-pull")
def image_pull(name: str = "from-parameter"):
    kubernetes.set_image_pull_secrets(work(), ["registry", "mirror"])
    kubernetes.set_image_pull_secrets(work(), [name])
    kubernetes.set_image_pull_secrets(work(), [choose().output])
    task = work()
    kubernetes.set_image_pull_secrets(task, ["one"])
    kubernetes.set_image_pull_secrets(task, ["two"])
    for policy in ("Always", "Never", "IfNotPresent"):
        kubernetes.set_image_pull_policy(work(), policy)
