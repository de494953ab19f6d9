"""Node selectors: labels, JSON, from a parameter, from an output, and both together."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def choose() -> dict:
    return {"zone": "b"}


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="k8s-node-selector")
def node_selector(selector: dict = {"zone": "a"}):
    task = work()
    kubernetes.add_node_selector(task, label_key="disk", label_value="ssd")
    kubernetes.add_node_selector(task, "kubernetes.io/arch", "amd64")
    kubernetes.add_node_selector(task, "yes", "no")
    kubernetes.add_node_selector_json(work(), selector)
    kubernetes.add_node_selector_json(work(), {"zone": "c", "disk": "hdd"})
    kubernetes.add_node_selector_json(work(), choose().output)
    both = work()
    kubernetes.add_node_selector(both, "disk", "ssd")
    kubernetes.add_node_selector_json(both, selector)
