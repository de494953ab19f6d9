"""Config maps as volumes."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def choose() -> str:
    return "config"


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="k8s-config-map-volume")
def config_map_volume(name: str = "from-parameter"):
    task = work()
    kubernetes.use_config_map_as_volume(task, config_map_name="settings", mount_path="/etc/settings")
    kubernetes.use_config_map_as_volume(task, "other", "/etc/other", optional=True)
    kubernetes.use_config_map_as_volume(task, name, "/etc/parameter")
    kubernetes.use_config_map_as_volume(work(), choose().output, "/etc/output")
