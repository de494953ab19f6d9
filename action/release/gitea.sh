#!/bin/sh
# Makes the release on Gitea and uploads every file of a folder, by its API.
#   API=https://git.example/api/v1 REPOSITORY=owner/name PUSH_TOKEN=… action/release/gitea.sh dist
set -eu
out=$1
folder=$(cd "$(dirname "$0")/../.." && pwd)
version=$(sed -n 's/^version = "\([^"]*\)".*/\1/p' "$folder/Cargo.toml" | sed -n 1p)

# The token is read from a file descriptor, not from the arguments.
call() { printf 'header = "Authorization: token %s"\n' "$PUSH_TOKEN" | curl --fail --silent --show-error --config - "$@"; }

id=$(call --header 'Content-Type: application/json' --data "{\"tag_name\":\"v$version\",\"name\":\"v$version\"}" \
	"$API/repos/$REPOSITORY/releases" | python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
for file in "$out"/*; do
	call --form "attachment=@$file" --output /dev/null "$API/repos/$REPOSITORY/releases/$id/assets?name=${file##*/}"
	echo "uploaded ${file##*/}"
done
