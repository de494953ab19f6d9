"""Puts a binary into a wheel, so that `pip install kfp-gitops` and `uvx kfp-gitops` bring exactly the released file.

    wheel.py BINARY VERSION TARGET FOLDER

The same binary gives the same wheel, byte for byte.
"""

import base64
import hashlib
import pathlib
import sys
import zipfile

# A static musl binary runs on every Linux of its architecture; macOS versions are those Rust supports.
PLATFORMS = {
    "x86_64-unknown-linux-musl": "manylinux2014_x86_64.manylinux_2_17_x86_64.musllinux_1_1_x86_64",
    "aarch64-unknown-linux-musl": "manylinux2014_aarch64.manylinux_2_17_aarch64.musllinux_1_1_aarch64",
    "x86_64-apple-darwin": "macosx_10_12_x86_64",
    "aarch64-apple-darwin": "macosx_11_0_arm64",
}


def main(binary, version, target, folder):
    root = pathlib.Path(__file__).resolve().parents[2]
    name = f"kfp_gitops-{version}"
    tags = PLATFORMS[target].split(".")
    readme = root / "README.md"
    metadata = (
        "Metadata-Version: 2.1\n"
        "Name: kfp-gitops\n"
        f"Version: {version}\n"
        "Summary: Deploy Kubeflow pipelines from a repository: find, compile, compare, upload, report\n"
        "License: Apache-2.0\n"
        "Requires-Python: >=3.9\n"
        "Description-Content-Type: text/markdown\n\n"
        + (readme.read_text(encoding="utf-8") if readme.exists() else "")
    )
    wheel = "Wheel-Version: 1.0\nGenerator: kfp-gitops\nRoot-Is-Purelib: false\n" + "".join(
        f"Tag: py3-none-{tag}\n" for tag in tags
    )
    files = {
        f"{name}.data/scripts/kfp-gitops": (pathlib.Path(binary).read_bytes(), 0o755),
        f"{name}.dist-info/METADATA": (metadata.encode(), 0o644),
        f"{name}.dist-info/WHEEL": (wheel.encode(), 0o644),
    }
    record = ""
    for path, (content, _) in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(content)}\n"
    record += f"{name}.dist-info/RECORD,,\n"
    files[f"{name}.dist-info/RECORD"] = (record.encode(), 0o644)
    out = pathlib.Path(folder) / f"{name}-py3-none-{PLATFORMS[target]}.whl"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, (content, mode) in files.items():
            # The oldest date a zip can hold: today's would make every wheel differ.
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    print(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
