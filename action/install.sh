#!/bin/sh
# Finds or fetches the kfp-gitops binary and tells the next step where it is.
#
# Order: the input `binary`; a kfp-gitops on PATH of the right version; the runner's tool cache; a download, checked
# against action/checksums.txt; with `tool-version: source`, a build with the cargo that is there.
# POSIX sh, and of other programs only uname, sed, mkdir, mv, chmod, rm, a downloader and a sha256 tool.
set -eu

# Inputs of the whole action, which some runners put into every step. Nothing here needs them.
unset INPUT_TOKEN INPUT_PASSWORD INPUT_HEADERS 2>/dev/null || :

folder=${GITHUB_ACTION_PATH:-${ACTION_FOLDER:-}}
newline='
'

say() { printf '%s\n' "kfp-gitops: $*"; }

stop() {
	printf '%s\n' "::error title=kfp-gitops install::$1" >&2
	if [ -n "${2:-}" ]; then printf '%s\n' "kfp-gitops: $2" >&2; fi
	exit 1
}

# Text of an input inside a message: one line, and no beginning of a command.
shown() { printf '%s' "$1" | tr '\n\r' '  ' | sed 's/::/: :/g'; }

found() {
	case $1 in *"$newline"*) stop "the path of the binary holds a line break" ;; esac
	if [ -n "${GITHUB_OUTPUT:-}" ]; then
		printf 'path=%s\n' "$1" >>"$GITHUB_OUTPUT"
	fi
	say "binary: $(shown "$1")"
	exit 0
}

# --- 1. given by input -------------------------------------------------------------------------------------------
if [ -n "${TOOL_BINARY:-}" ]; then
	binary=$TOOL_BINARY
	case $binary in
	/*) ;;
	*) binary=${GITHUB_WORKSPACE:-$PWD}/$binary ;;
	esac
	[ -f "$binary" ] || stop "there is no file at the input \`binary\`" "given: $(shown "$TOOL_BINARY")"
	[ -x "$binary" ] || stop "the file at the input \`binary\` cannot be executed" "try: chmod +x $(shown "$TOOL_BINARY")"
	"$binary" version || stop "the file at the input \`binary\` is no kfp-gitops for this machine ($(uname -s) $(uname -m))"
	found "$binary"
fi

# --- which version, which machine ----------------------------------------------------------------------------------
[ -n "$folder" ] && [ -f "$folder/Cargo.toml" ] || stop "the action's own folder is not known" \
	"neither GITHUB_ACTION_PATH nor github.action_path names it"
version=${TOOL_VERSION:-}
own=$(sed -n 's/^version = "\([^"]*\)".*/\1/p' "$folder/Cargo.toml" | sed -n 1p)
[ -n "$version" ] || version=$own
version=${version#v}
case $version in
*[!0-9A-Za-z.+-]* | "" | .* | -*)
	stop "the input \`tool-version\` is no version" "given: $(shown "${TOOL_VERSION:-}"); expected for example: $own"
	;;
esac

case $(uname -m) in
x86_64 | amd64) machine=x86_64 ;;
aarch64 | arm64) machine=aarch64 ;;
*) machine=$(uname -m) ;;
esac
case $(uname -s) in
Linux) target=$machine-unknown-linux-musl ;;
Darwin) target=$machine-apple-darwin ;;
*) stop "there is no kfp-gitops for $(uname -s)" "it runs on Linux and macOS; on Windows use WSL or a container" ;;
esac
name=kfp-gitops-v$version-$target

# --- 2. on PATH ----------------------------------------------------------------------------------------------------
if there=$(command -v kfp-gitops 2>/dev/null) && [ -x "$there" ]; then
	is=$("$there" version 2>/dev/null | sed -n 's/^kfp-gitops \([^ ]*\).*/\1/p' || :)
	if [ "$is" = "$version" ]; then
		say "using $version from PATH"
		found "$there"
	fi
	say "ignoring kfp-gitops ${is:-of an unknown version} on PATH, $version is wanted"
fi

# --- where to keep it ----------------------------------------------------------------------------------------------
cache=
for place in "${RUNNER_TOOL_CACHE:-}" "${RUNNER_TEMP:-}" "${TMPDIR:-/tmp}"; do
	[ -n "$place" ] || continue
	if mkdir -p "$place/kfp-gitops/$version/$machine" 2>/dev/null && [ -w "$place/kfp-gitops/$version/$machine" ]; then
		cache=$place/kfp-gitops/$version/$machine
		break
	fi
done
[ -n "$cache" ] || stop "no folder can be written to" "tried RUNNER_TOOL_CACHE, RUNNER_TEMP and /tmp"

# --- 5. from source, when asked for --------------------------------------------------------------------------------
if [ "$version" = source ]; then
	command -v cargo >/dev/null 2>&1 || stop "\`tool-version: source\` needs cargo on PATH" "install Rust: https://rustup.rs"
	say "building from source with $(cargo --version)"
	cargo install --locked --force --path "$folder" --root "$cache" >&2 || stop "the build from source failed"
	found "$cache/bin/kfp-gitops"
fi

# --- the checksum, without which nothing is run --------------------------------------------------------------------
expected=
while read -r sum file rest; do
	if [ "$file" = "$name" ] && [ -z "$rest" ]; then expected=$sum; fi
done <"$folder/action/checksums.txt"
case $expected in
*[!0-9a-f]*) expected= ;;
esac
other_ways="give a binary as \`binary\`, put one of version $version on PATH, or set \`tool-version: source\` where cargo is there"
[ ${#expected} -eq 64 ] || stop "no checksum is known for $name, so it is not downloaded" "$other_ways"

sha256() {
	if command -v sha256sum >/dev/null 2>&1; then
		sha256sum <"$1" | sed 's/ .*//'
	elif command -v shasum >/dev/null 2>&1; then
		shasum -a 256 <"$1" | sed 's/ .*//'
	elif command -v openssl >/dev/null 2>&1; then
		openssl dgst -sha256 <"$1" | sed 's/.* //'
	elif command -v python3 >/dev/null 2>&1; then
		python3 -I -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1"
	else
		stop "no tool for sha256 is there" "install coreutils, perl, openssl or python3"
	fi
}

# --- 3. the tool cache: another job may have written there, so the checksum is asked again -------------------------
binary=$cache/$name
if [ -f "$binary" ]; then
	if [ "$(sha256 "$binary")" = "$expected" ]; then
		chmod +x "$binary"
		say "using $version from the tool cache"
		found "$binary"
	fi
	say "the file in the tool cache has another checksum: fetching it again"
	rm -f "$binary"
fi

# --- 4. the download -----------------------------------------------------------------------------------------------
base=${TOOL_DOWNLOAD_URL:-}
base=${base%/}
case $base in
http://* | https://*) ;;
*) stop "the input \`download-url\` is no http address" "given: $(shown "$base")" ;;
esac
case $base in
*[!A-Za-z0-9._~:/@%+=,-]*) stop "the input \`download-url\` holds characters that an address has not" ;;
esac
address=$base/v$version/$name
part=$cache/.$name.$$
trap 'rm -f "$part"' EXIT
trap 'exit 1' HUP INT TERM

fetch() {
	case $1 in
	curl)
		curl --fail --silent --show-error --location --proto '=http,https' --connect-timeout 15 --max-time 600 \
			--retry 2 --output "$part" "$address"
		;;
	wget)
		wget -q -T 60 -O "$part" "$address"
		;;
	python3)
		python3 -I -c '
import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=60) as answer, open(sys.argv[2], "wb") as file:
    shutil.copyfileobj(answer, file)
' "$address" "$part"
		;;
	esac
}

tools=
done=
for tool in curl wget python3; do
	command -v "$tool" >/dev/null 2>&1 || continue
	tools="$tools $tool"
	say "downloading $name with $tool"
	if fetch "$tool"; then
		done=yes
		break
	fi
	say "$tool could not download it"
	rm -f "$part"
done
[ -n "$tools" ] || stop "nothing can download: curl, wget and python3 are all missing" "$other_ways"
[ -n "$done" ] || stop "kfp-gitops could not be downloaded" \
	"address: $(shown "$address" | sed 's|//[^/@]*@|//|'); behind a firewall set \`download-url\` to a mirror, or $other_ways"

actual=$(sha256 "$part")
if [ "$actual" != "$expected" ]; then
	stop "the downloaded $name has the wrong checksum, and is not run" "expected $expected, got $actual"
fi
chmod +x "$part"
mv -f "$part" "$binary"
found "$binary"
