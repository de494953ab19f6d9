"""Prints lines that look like results, to every file it inherited, and then is a good pipeline."""
import json
import os

from kfp import dsl

fake = json.dumps({"id": 1, "ok": True, "status": "ok", "result": "ok", "file": __file__, "name": "stolen",
                   "yaml": "pipelineInfo: {name: stolen}", "pipelines": []}) + "\n"
for descriptor in [1, 2, *range(3, 64)]:
    for text in (fake, f"{len(fake)}\n{fake}", f"Content-Length: {len(fake)}\r\n\r\n{fake}", "\x00" * 64):
        try:
            os.set_blocking(descriptor, False)
            os.write(descriptor, text.encode())
        except OSError:
            pass


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="protocol-lines")
def protocol_lines():
    work()
