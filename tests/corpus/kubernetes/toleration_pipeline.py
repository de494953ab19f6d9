"""Tolerations: every field, JSON of one and of several, from inputs."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def choose() -> list:
    return []


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="k8s-toleration")
def toleration(
    one: dict = {"key": "a", "operator": "Exists", "effect": "NoSchedule"},
    several: list = [{"key": "a", "operator": "Equal", "value": "1", "effect": "NoExecute", "tolerationSeconds": 60}],
):
    task = work()
    kubernetes.add_toleration(task, key="gpu", operator="Equal", value="true", effect="NoSchedule")
    kubernetes.add_toleration(task, key="spot", operator="Exists", effect="PreferNoSchedule")
    kubernetes.add_toleration(task, key="slow", operator="Exists", effect="NoExecute", toleration_seconds=300)
    kubernetes.add_toleration(task, key="now", operator="Exists", effect="NoExecute", toleration_seconds=0)
    kubernetes.add_toleration(task, operator="Exists")
    kubernetes.add_toleration(task, key="k")
    kubernetes.add_toleration_json(work(), one)
    kubernetes.add_toleration_json(work(), several)
    kubernetes.add_toleration_json(work(), choose().output)
    kubernetes.add_toleration_json(work(), {"key": "b", "operator": "Exists", "toleration_seconds": 5})
    kubernetes.add_toleration_json(work(), [{"key": "c", "operator": "Exists"}, {"key": "d", "operator": "Exists"}])
