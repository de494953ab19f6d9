"""A volume claim made outside of the sub-pipeline that mounts it."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def work(text: str = ""):
    pass


@dsl.pipeline(name="inner-mount")
def inner(claim: str):
    kubernetes.mount_pvc(work(), claim, "/data")


@dsl.pipeline(name="k8s-pvc-in-sub-pipeline")
def outer():
    made = kubernetes.CreatePVC(pvc_name_suffix="-x", access_modes=["ReadWriteOnce"], size="1Gi", storage_class_name="s")
    used = inner(claim=made.outputs["name"])
    kubernetes.DeletePVC(pvc_name=made.outputs["name"]).after(used)
