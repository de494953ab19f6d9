"""Fields of the pod as environment variables."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="k8s-field-path")
def field_path():
    task = work()
    kubernetes.use_field_path_as_env(task, env_name="NODE", field_path="spec.nodeName")
    kubernetes.use_field_path_as_env(task, "RUN", "metadata.annotations['workflows.argoproj.io/node-name']")
    kubernetes.use_field_path_as_env(task, "IP", "status.podIP")
