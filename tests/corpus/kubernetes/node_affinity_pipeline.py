"""Node affinity: required, preferred, by expressions, by fields, as JSON and from inputs."""
from kfp import dsl
from kfp import kubernetes

REQUIRED = {
    "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]}]
    }
}


@dsl.component(base_image="python:3.11-slim")
def choose() -> dict:
    return {}


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="k8s-node-affinity")
def node_affinity(affinity: dict = REQUIRED):
    task = work()
    kubernetes.add_node_affinity(task, match_expressions=[
        {"key": "zone", "operator": "In", "values": ["a", "b"]},
        {"key": "disk", "operator": "NotIn", "values": ["hdd"]},
        {"key": "gpu", "operator": "Exists"},
        {"key": "old", "operator": "DoesNotExist"},
        {"key": "cores", "operator": "Gt", "values": ["8"]},
        {"key": "age", "operator": "Lt", "values": ["3"]},
    ])
    kubernetes.add_node_affinity(task, match_fields=[{"key": "metadata.name", "operator": "In", "values": ["node-1"]}],
                                 weight=100)
    kubernetes.add_node_affinity(task, match_expressions=[{"key": "x", "operator": "Exists"}], weight=1)
    kubernetes.add_node_affinity(work())
    kubernetes.add_node_affinity_json(work(), affinity)
    kubernetes.add_node_affinity_json(work(), REQUIRED)
    kubernetes.add_node_affinity_json(work(), {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 50, "preference": {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}}
        ]
    })
    kubernetes.add_node_affinity_json(work(), choose().output)
