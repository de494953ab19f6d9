"""Labels and annotations of pods, with awkward values and one set twice."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="k8s-pod-metadata")
def pod_metadata():
    task = work()
    kubernetes.add_pod_label(task, label_key="team", label_value="data")
    kubernetes.add_pod_label(task, "team", "ml")
    kubernetes.add_pod_label(task, "example.com/cost-center", "1e3")
    kubernetes.add_pod_label(task, "yes", "null")
    kubernetes.add_pod_annotation(task, annotation_key="sidecar.istio.io/inject", annotation_value="false")
    kubernetes.add_pod_annotation(task, "note", "größe 🚀\ntwo lines: # x")
    kubernetes.add_pod_annotation(task, "json", '{"a": [1, "b"]}')
    kubernetes.add_pod_annotation(work(), "run-id", "{{workflow.uid}}")
