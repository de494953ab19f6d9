"""Every Kubernetes feature on one task."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def work(text: str = "") -> str:
    return text


@dsl.pipeline(name="k8s-everything")
def everything(secret: str = "s", selector: dict = {"zone": "a"}, tolerations: list = []):
    task = work()
    kubernetes.use_secret_as_env(task, secret, {"a": "A"})
    kubernetes.use_secret_as_volume(task, "tls", "/tls")
    kubernetes.use_config_map_as_env(task, "settings", {"b": "B"})
    kubernetes.use_config_map_as_volume(task, "files", "/files")
    kubernetes.use_field_path_as_env(task, "POD", "metadata.name")
    kubernetes.mount_pvc(task, "claim", "/claim")
    kubernetes.empty_dir_mount(task, "shm", "/dev/shm", "Memory", "1Gi")
    kubernetes.add_ephemeral_volume(task, "scratch", "/scratch", ["ReadWriteOnce"], "1Gi")
    kubernetes.add_node_selector(task, "disk", "ssd")
    kubernetes.add_node_selector_json(task, selector)
    kubernetes.add_node_affinity(task, [{"key": "zone", "operator": "Exists"}], weight=10)
    kubernetes.add_toleration(task, key="gpu", operator="Exists")
    kubernetes.add_toleration_json(task, tolerations)
    kubernetes.add_pod_label(task, "team", "data")
    kubernetes.add_pod_annotation(task, "note", "x")
    kubernetes.set_image_pull_policy(task, "Always")
    kubernetes.set_image_pull_secrets(task, ["registry"])
    kubernetes.set_timeout(task, 60)
    kubernetes.set_security_context(task, run_as_user=1000)
    task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(1).set_retry(2).set_display_name("All of it")
