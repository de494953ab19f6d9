"""A shared workspace with a patch for its volume claim."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def clone(folder: str) -> str:
    return folder


@dsl.pipeline(
    name="config-workspace",
    pipeline_config=dsl.PipelineConfig(
        workspace=dsl.WorkspaceConfig(
            size="25Gi",
            kubernetes=dsl.KubernetesWorkspaceConfig(
                pvcSpecPatch={
                    "storageClassName": "fast",
                    "accessModes": ["ReadWriteMany"],
                    "selector": {"matchLabels": {"disk": "ssd", "zone": "1"}},
                    "volumeMode": "Filesystem",
                }
            ),
        )
    ),
)
def config_workspace():
    cloned = clone(folder=dsl.WORKSPACE_PATH_PLACEHOLDER)
    clone(folder=f"{dsl.WORKSPACE_PATH_PLACEHOLDER}/sub/folder").after(cloned)
    with dsl.ParallelFor(["a"]):
        clone(folder=dsl.WORKSPACE_PATH_PLACEHOLDER)
