"""Drives the official client against the server named in argv: list, upload, upload a version, get, delete.

Every assertion is about what a user of kfp.Client sees. Prints "done" at the end.
"""
import json
import os
import sys
import tempfile

from google.protobuf import json_format
import kfp
from kfp import compiler, dsl, kubernetes
from kfp.pipeline_spec import pipeline_spec_pb2
import kfp_server_api
import yaml


@dsl.component(base_image="python:3.11-slim")
def numbers(count: int) -> list:
    return list(range(count))


@dsl.component(base_image="python:3.11-slim")
def work(number: int, note: str, settings: dict, model: dsl.Output[dsl.Model]) -> str:
    return f"{number} {note} {settings}"


@dsl.component(base_image="python:3.11-slim")
def clean(status: dsl.PipelineTaskFinalStatus):
    print(status)


@dsl.pipeline(name="every-feature", description="Loops, conditions, retries, exit handlers")
def every_feature(
    count: int = 3,
    rate: float = 0.5,
    note: str = "1e3",
    dry: bool = False,
    settings: dict = {"a": [1, 2.5, "0o10", True, {"": ""}], "b": {}},
):
    last = clean()
    with dsl.ExitHandler(last):
        made = numbers(count=count).set_caching_options(False)
        with dsl.ParallelFor(made.output, parallelism=2) as number:
            done = work(number=number, note=note, settings=settings)
            done.set_retry(3, backoff_duration="30s", backoff_factor=1.5, backoff_max_duration="3600s")
            done.set_cpu_limit("2").set_memory_limit("4G").set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(1)
            kubernetes.add_node_selector(done, "gpu", "true")
            kubernetes.use_secret_as_env(done, "secret", {"key": "KEY"})
        with dsl.If(dry == True):
            work(number=1, note="dry", settings={})
        with dsl.Else():
            work(number=2, note="", settings={"x": "yes"})
        with dsl.ParallelFor(["12:30:45", "1_000", "0x10"]) as text:
            work(number=0, note=text, settings={})


def documents(path):
    """The compiled documents as protobuf holds them, and so as a server must give them back."""
    with open(path) as file:
        spec, platform = yaml.safe_load_all(file)
    return (
        json_format.MessageToDict(json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())),
        json_format.MessageToDict(json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())),
    )


def refused(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kfp_server_api.ApiException as error:
        return error.status
    raise AssertionError(f"{call} was not refused")


def main(host):
    client = kfp.Client(host=host)
    assert client.get_kfp_healthz().multi_user is False
    assert client.list_pipelines().pipelines is None

    folder = tempfile.mkdtemp()
    compiled = os.path.join(folder, "compiled.yaml")
    compiler.Compiler().compile(every_feature, compiled)
    spec, platform = documents(compiled)
    exact = os.path.join(folder, "exact.yaml")
    with open(exact, "w") as file:
        file.write("\n---\n".join(json.dumps(document, ensure_ascii=False) for document in (spec, platform)))

    pipeline = client.upload_pipeline(compiled, pipeline_name="A+B 100% é", description="first\nsecond")
    assert pipeline.display_name == "A+B 100% é", pipeline
    assert pipeline.description == "first\nsecond", pipeline
    assert refused(client.upload_pipeline, compiled, pipeline_name="a+b 100% É") == 409

    version = client.upload_pipeline_version(exact, "v2", pipeline_id=pipeline.pipeline_id, description="d")
    assert version.pipeline_spec == {"pipeline_spec": spec, "platform_spec": platform}, json.dumps(version.pipeline_spec)
    assert refused(client.upload_pipeline_version, exact, "V2", pipeline_id=pipeline.pipeline_id) == 409
    got = client.get_pipeline_version(pipeline.pipeline_id, version.pipeline_version_id)
    assert got == version, got

    # kfp's own YAML loses one default: text that YAML 1.2 takes for a number.
    listed = client.list_pipeline_versions(pipeline.pipeline_id, sort_by="created_at asc")
    assert listed.total_size == 2, listed
    [first] = [item for item in listed.pipeline_versions if item.display_name != "v2"]
    stored = first.pipeline_spec["pipeline_spec"]["root"]["inputDefinitions"]["parameters"]
    assert stored["note"]["defaultValue"] == 1000, stored
    assert stored["settings"]["defaultValue"]["a"][2] == 8, stored

    client.upload_pipeline(compiled, pipeline_name="plain")
    client.upload_pipeline_version(compiled, "by name", pipeline_name="plain")
    assert client.get_pipeline_id("plain") is not None
    assert client.get_pipeline_id("no such") is None
    by_filter = client.list_pipelines(
        filter=json.dumps({"predicates": [{"operation": "IS_SUBSTRING", "key": "name", "string_value": "PLAI"}]})
    )
    assert [item.display_name for item in by_filter.pipelines] == ["plain"], by_filter

    page = client.list_pipelines(page_size=1, sort_by="name desc")
    assert [item.display_name for item in page.pipelines] == ["plain"], page
    page = client.list_pipelines(page_size=1, sort_by="name desc", page_token=page.next_page_token)
    assert [item.display_name for item in page.pipelines] == ["A+B 100% é"], page
    assert page.next_page_token is None, page

    experiment = client.create_experiment("trial", description="e")
    assert client.get_experiment(experiment_name="trial").experiment_id == experiment.experiment_id
    client.archive_experiment(experiment.experiment_id)
    assert client.get_experiment(experiment.experiment_id).storage_state == "ARCHIVED"
    client.delete_experiment(experiment.experiment_id)
    assert refused(client.run_pipeline, experiment.experiment_id, "run", pipeline_id=pipeline.pipeline_id,
                   version_id=version.pipeline_version_id) in (404, 501)

    assert refused(client.delete_pipeline, pipeline.pipeline_id) == 400
    client.delete_pipeline_version(pipeline.pipeline_id, version.pipeline_version_id)
    client.delete_pipeline_version(pipeline.pipeline_id, first.pipeline_version_id)
    client.delete_pipeline(pipeline.pipeline_id)
    assert refused(client.get_pipeline, pipeline.pipeline_id) == 404
    assert client.list_pipelines().total_size == 1
    print("done")


main(sys.argv[1])
