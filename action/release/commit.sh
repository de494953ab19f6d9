#!/bin/sh
# Commits the checksum table and tags that commit, both in one push: the tag never exists without its table.
#   PUSH_TOKEN=… action/release/commit.sh main
set -eu
branch=$1
folder=$(cd "$(dirname "$0")/../.." && pwd)
cd "$folder"
version=$(sed -n 's/^version = "\([^"]*\)".*/\1/p' Cargo.toml | sed -n 1p)
if git ls-remote --exit-code --tags origin "v$version" >/dev/null 2>&1; then
	echo "v$version is released already: raise the version in Cargo.toml" >&2
	exit 1
fi
git add action/checksums.txt
git -c user.name=kfp-gitops -c user.email=kfp-gitops@users.noreply.github.com \
	commit -m "Release v$version: the checksums of its binaries"
git tag "v$version"
# In the environment, because arguments are seen by every process of the machine.
GIT_CONFIG_COUNT=1
GIT_CONFIG_KEY_0=http.extraHeader
GIT_CONFIG_VALUE_0="Authorization: Basic $(printf 'x-access-token:%s' "$PUSH_TOKEN" | base64 | tr -d '\n')"
export GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
git push --atomic origin "HEAD:refs/heads/$branch" "refs/tags/v$version"
