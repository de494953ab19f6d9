#!/bin/sh
# Writes action/checksums.txt anew: what it held for other versions, and the binaries in a folder.
#   action/release/checksums.sh dist
set -eu
out=$1
folder=$(cd "$(dirname "$0")/../.." && pwd)
version=$(sed -n 's/^version = "\([^"]*\)".*/\1/p' "$folder/Cargo.toml" | sed -n 1p)
table=$folder/action/checksums.txt
new=$table.new
grep -v "  kfp-gitops-v$version-" "$table" >"$new" || :
for binary in "$out/kfp-gitops-v$version-"*; do
	case $binary in *.whl) continue ;; esac
	printf '%s  %s\n' "$(sha256sum <"$binary" | sed 's/ .*//')" "${binary##*/}" >>"$new"
done
for target in x86_64-unknown-linux-musl aarch64-unknown-linux-musl; do
	grep -q "  kfp-gitops-v$version-$target\$" "$new" || { echo "no binary for $target in $out" >&2; exit 1; }
done
mv "$new" "$table"
