"""An image pull policy that does not exist."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="invalid-kubernetes")
def invalid_kubernetes():
    kubernetes.set_image_pull_policy(work(), "Sometimes")
