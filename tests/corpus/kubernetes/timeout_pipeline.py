"""Timeouts, one of them taken back."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="k8s-timeout")
def timeout():
    kubernetes.set_timeout(work(), seconds=3600)
    kubernetes.set_timeout(work(), 2**40)
    task = work()
    kubernetes.set_timeout(task, 20)
    kubernetes.set_timeout(task, 0)
