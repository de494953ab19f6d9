"""Artifact classes of one's own, imported from a sibling module."""
import team_artifacts
from kfp import dsl
from kfp.dsl import Input, Output
from team_artifacts import Corpus


@dsl.component(base_image="registry.example/team/base:1.0", install_kfp_package=False)
def collect(corpus: Output[Corpus]):
    pass


@dsl.component(base_image="registry.example/team/base:1.0", install_kfp_package=False)
def count(corpus: Input[Corpus], index: Output[team_artifacts.Index]) -> int:
    return 1


@dsl.pipeline(name="custom-artifact-class")
def custom_artifact_class():
    count(corpus=collect().outputs["corpus"])
