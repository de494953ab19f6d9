"""Generic ephemeral volumes."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="k8s-ephemeral-volume")
def ephemeral_volume():
    task = work()
    kubernetes.add_ephemeral_volume(
        task, volume_name="scratch", mount_path="/scratch", access_modes=["ReadWriteOnce"], size="50Gi")
    kubernetes.add_ephemeral_volume(
        task, "fast", "/fast", ["ReadWriteOncePod", "ReadWriteMany"], "1Ti", storage_class_name="fast",
        labels={"team": "data", "yes": "no"}, annotations={"note": "x: y"})
    kubernetes.add_ephemeral_volume(work(), "static", "/static", ["ReadOnlyMany"], "1", storage_class_name="")
