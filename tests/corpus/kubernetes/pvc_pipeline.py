"""Volume claims: made, mounted by name, parameter and output, and deleted."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def work(text: str = ""):
    pass


@dsl.pipeline(name="k8s-pvc")
def pvc(existing: str = "existing"):
    made = kubernetes.CreatePVC(
        pvc_name_suffix="-scratch",
        access_modes=["ReadWriteOnce"],
        size="5Gi",
        storage_class_name="standard",
    )
    named = kubernetes.CreatePVC(
        pvc_name="fixed",
        access_modes=["ReadWriteMany", "ReadOnlyMany"],
        size="1Ti",
        storage_class_name="",
        volume_name="volume-1",
        annotations={"a": "1", "b.c/d": "größe"},
        data_source={"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "snapshot"},
    )
    first = work(text="made")
    kubernetes.mount_pvc(first, pvc_name=made.outputs["name"], mount_path="/data")
    kubernetes.mount_pvc(first, pvc_name=named.output, mount_path="/fixed", sub_path="folder/größe")
    second = work(text="by name").after(first)
    kubernetes.mount_pvc(second, "static-claim", "/static")
    kubernetes.mount_pvc(second, existing, "/existing")
    with dsl.ParallelFor(["a"]) as item:
        kubernetes.mount_pvc(work(text=item), existing, "/in-loop")
    kubernetes.DeletePVC(pvc_name=made.outputs["name"]).after(first)
    kubernetes.DeletePVC(pvc_name="fixed").after(second)
    kubernetes.DeletePVC(pvc_name=existing).after(second)
