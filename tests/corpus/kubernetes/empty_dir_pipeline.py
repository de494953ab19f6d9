"""Empty directories on disk and in memory."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="k8s-empty-dir")
def empty_dir():
    task = work()
    kubernetes.empty_dir_mount(task, volume_name="scratch", mount_path="/scratch")
    kubernetes.empty_dir_mount(task, "shm", "/dev/shm", medium="Memory", size_limit="8Gi")
    kubernetes.empty_dir_mount(task, "cache", "/cache", size_limit="500Mi")
    kubernetes.empty_dir_mount(task, "huge", "/huge", medium="HugePages")
