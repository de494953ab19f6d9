"""An import that is downloaded into the workspace."""
from kfp import dsl
from kfp.dsl import Dataset, Input


@dsl.component(base_image="python:3.11-slim")
def use(data: Input[Dataset], folder: str):
    pass


@dsl.pipeline(
    name="importer-workspace",
    pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="10Gi")),
)
def importer_workspace(uri: str = "s3://bucket/data"):
    imported = dsl.importer(uri, Dataset, download_to_workspace=True)
    use(data=imported.output, folder=dsl.WORKSPACE_PATH_PLACEHOLDER)
