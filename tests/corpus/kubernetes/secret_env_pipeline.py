"""Secrets as environment variables: several keys, optional, names from parameters and outputs."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def choose() -> str:
    return "secret"


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="k8s-secret-env")
def secret_env(name: str = "from-parameter"):
    task = work()
    kubernetes.use_secret_as_env(task, secret_name="db", secret_key_to_env={"password": "PASSWORD", "user": "USER"})
    kubernetes.use_secret_as_env(task, "other", {"k": "K"}, optional=True)
    kubernetes.use_secret_as_env(task, name, {"k": "L"})
    kubernetes.use_secret_as_env(work(), choose().output, {"k": "M"}, optional=False)
    with dsl.ParallelFor(["a", "b"]) as item:
        kubernetes.use_secret_as_env(work(), item, {"k": "N"})
        kubernetes.use_secret_as_env(work(), name, {"k": "O"})
