"""Secrets as volumes."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def choose() -> str:
    return "secret"


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="k8s-secret-volume")
def secret_volume(name: str = "from-parameter"):
    task = work()
    kubernetes.use_secret_as_volume(task, secret_name="tls", mount_path="/mnt/tls")
    kubernetes.use_secret_as_volume(task, "other", "/mnt/größe", optional=True)
    kubernetes.use_secret_as_volume(task, name, mount_path="/mnt/parameter")
    kubernetes.use_secret_as_volume(work(), choose().output, mount_path="/mnt/output")
