#!/bin/sh
# Runs kfp-gitops once. Inputs are in the environment (KFP_GITOPS_…), where the program reads them itself; only the
# command, the folders and the extra arguments become words here, and none of them is ever evaluated.
set -eu
set -f
unset INPUT_TOKEN INPUT_PASSWORD INPUT_HEADERS 2>/dev/null || :
newline='
'

stop() {
	printf '%s\n' "::error title=kfp-gitops::$1" >&2
	exit 2
}

case ${TOOL_COMMAND:-auto} in
auto | apply | plan | compile | notify) command=${TOOL_COMMAND:-auto} ;;
*) stop "the input \`command\` must be auto, apply, plan, compile or notify" ;;
esac

# The report as JSON always lands somewhere, so that the output \`results\` names a file.
if [ -z "${KFP_GITOPS_RESULTS:-}" ] && [ -n "${RUNNER_TEMP:-}" ] && [ "$command" != notify ]; then
	KFP_GITOPS_RESULTS=$RUNNER_TEMP/kfp-gitops/results.json
	export KFP_GITOPS_RESULTS
fi

set -- "$command"

# Extra arguments, separated by white space.
for word in ${TOOL_EXTRA_ARGS:-}; do
	case $word in
	--token-file*) ;;
	-*[Tt][Oo][Kk][Ee][Nn]* | -*[Pp][Aa][Ss][Ss][Ww]* | -*[Ss][Ee][Cc][Rr][Ee][Tt]* | --cookie* | --header* | --ntfy* | --webhook* | *://*@*)
		stop "the input \`extra-args\` may not carry a secret: use the input made for it"
		;;
	esac
	for secret in "${KFP_GITOPS_TOKEN:-}" "${KFP_GITOPS_PASSWORD:-}" "${KFP_GITOPS_NTFY_TOKEN:-}" \
		"${KFP_GITOPS_NTFY_URL:-}" "${KFP_GITOPS_FORGE_TOKEN:-}" "${KFP_GITOPS_HEADERS:-}"; do
		[ -n "$secret" ] || continue
		case $word in *"$secret"*) stop "the input \`extra-args\` may not carry a secret" ;; esac
	done
	set -- "$@" "$word"
done

# Folders and files, one a line. After \`--\` nothing is an option, whatever it begins with.
if [ -n "${TOOL_FOLDERS:-}" ] && [ "$command" != notify ]; then
	set -- "$@" --
	rest=$TOOL_FOLDERS$newline
	while [ -n "$rest" ]; do
		line=${rest%%"$newline"*}
		rest=${rest#*"$newline"}
		[ -n "$line" ] && set -- "$@" "$line"
	done
fi

binary=${TOOL_PATH:-}
[ -n "$binary" ] || stop "the binary was not found"
unset TOOL_PATH TOOL_COMMAND TOOL_FOLDERS TOOL_EXTRA_ARGS ACTION_FOLDER
exec "$binary" "$@"
