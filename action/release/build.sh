#!/bin/sh
# Builds one released binary and its wheel into a folder.
#   action/release/build.sh x86_64-unknown-linux-musl dist
# Linux targets are static and cross-built with zig (ziglang and cargo-zigbuild from PyPI); macOS targets are built
# with the machine's own linker.
set -eu
target=$1
out=$2
folder=$(cd "$(dirname "$0")/../.." && pwd)
cd "$folder"
version=$(sed -n 's/^version = "\([^"]*\)".*/\1/p' Cargo.toml | sed -n 1p)
KFP_GITOPS_BUILD_COMMIT=${KFP_GITOPS_BUILD_COMMIT:-$(git rev-parse --short=12 HEAD)}
export KFP_GITOPS_BUILD_COMMIT

rustup target add "$target"
case $target in
*-linux-musl)
	if ! command -v cargo-zigbuild >/dev/null 2>&1; then
		python3 -m venv target/zig
		target/zig/bin/pip install --quiet cargo-zigbuild==0.20.1 ziglang==0.14.1
		PATH=$folder/target/zig/bin:$PATH
	fi
	cargo zigbuild --locked --profile dist --target "$target"
	;;
*) cargo build --locked --profile dist --target "$target" ;;
esac

mkdir -p "$out"
binary=$out/kfp-gitops-v$version-$target
cp "target/$target/dist/kfp-gitops" "$binary"
chmod 755 "$binary"
python3 "$folder/action/release/wheel.py" "$binary" "$version" "$target" "$out"
