"""A pipeline shaped by a JSON file beside it and by a data class."""
import dataclasses
import json
import pathlib

from kfp import dsl


@dataclasses.dataclass(frozen=True)
class Step:
    name: str
    cpu: str
    retries: int = 0


CONFIG = json.loads((pathlib.Path(__file__).parent / "config_driven.json").read_text(encoding="utf-8"))
STEPS = [Step(**step) for step in CONFIG["steps"]]


@dsl.component(base_image=CONFIG["image"])
def work(name: str, before: str = "") -> str:
    return name


@dsl.pipeline(name="config-driven")
def config_driven():
    before = ""
    for step in STEPS:
        task = work(name=step.name, before=before)
        task.set_cpu_limit(step.cpu).set_retry(step.retries).set_display_name(step.name)
        before = task.output
