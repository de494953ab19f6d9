"""A workspace configured through its setters, with a time to live and a Kubernetes feature besides."""
from kfp import dsl
from kfp import kubernetes

WORKSPACE = dsl.WorkspaceConfig(size="1Gi")
WORKSPACE.set_size(" 1.5Ti ")
PATCH = dsl.KubernetesWorkspaceConfig()
PATCH.set_pvcSpecPatch({"storageClassName": "slow"})
WORKSPACE.set_kubernetes_config(PATCH)


@dsl.component(base_image="python:3.11-slim")
def work(folder: str):
    pass


@dsl.pipeline(
    name="config-workspace-setters",
    pipeline_config=dsl.PipelineConfig(workspace=WORKSPACE, ttl_seconds_after_finished=600),
)
def config_workspace_setters():
    kubernetes.set_timeout(work(folder=dsl.WORKSPACE_PATH_PLACEHOLDER), 60)
