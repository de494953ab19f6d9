"""Config maps as environment variables."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def choose() -> str:
    return "config"


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="k8s-config-map-env")
def config_map_env(name: str = "from-parameter"):
    task = work()
    kubernetes.use_config_map_as_env(task, config_map_name="settings", config_map_key_to_env={"a": "A", "b.c": "B_C"})
    kubernetes.use_config_map_as_env(task, "other", {"k": "K"}, optional=True)
    kubernetes.use_config_map_as_env(task, name, {"k": "L"})
    kubernetes.use_config_map_as_env(work(), choose().output, {"k": "M"})
