"""What teams do before: `kfp dsl compile` each file, upload it under its stem with the Python client.

Usage: old_workflow.py ENDPOINT FOLDER
"""
import os
import pathlib
import subprocess
import sys
import tempfile

from kfp.client import Client

endpoint, folder = sys.argv[1], pathlib.Path(sys.argv[2])
client = Client(host=endpoint)
for source in sorted(folder.glob("*_pipeline.py")):
    with tempfile.TemporaryDirectory() as out:
        package = os.path.join(out, source.stem + ".yaml")
        subprocess.run(
            [sys.executable, "-c", "from kfp.cli.__main__ import main; main()", "dsl", "compile", "--py", str(source), "--output", package], check=True)
        client.upload_pipeline(package, pipeline_name=source.stem)
print("done")
