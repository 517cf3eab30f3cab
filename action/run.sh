#!/usr/bin/env bash
# What the action does, so that it can be run and tested anywhere: every input comes as a NETPAL_... variable, none is ever
# part of a command line that a shell reads again. Never passes --allow-exec: a pull request must not choose commands.
set -uo pipefail

netpal=${NETPAL_BIN:-netpal}
report=${RUNNER_TEMP:-/tmp}/netpal.md
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
input=()
[ -z "${NETPAL_PATH:-}" ] || input=(-f "$NETPAL_PATH")
worst=0
note() { [ "$1" -le "$worst" ] || worst=$1; }

: > "$report"
if [ -n "${NETPAL_BASE:-}" ]; then
  "$netpal" diff "$NETPAL_BASE" "${input[@]}" --fail-on "${NETPAL_FAIL_ON:-widened}" -o "md=$report" -o text
  note $?
fi
if [ "${NETPAL_TESTS:-true}" = true ]; then
  "$netpal" test "${input[@]}" -o github -o "md=$report.tests"
  code=$?
  note $code
  # the diff's part of the comment stays above, its marker goes to the end
  { grep -v '^<!-- netpal:sticky -->$' "$report"; [ ! -s "$report.tests" ] || cat "$report.tests"; } > "$report.all"
  mv "$report.all" "$report"
fi
cat "$report" >> "$summary"
[ -z "${GITHUB_OUTPUT:-}" ] || echo "report=$report" >> "$GITHUB_OUTPUT"

# One comment, found again by its marker. A failure to comment (forks have no permission) fails nothing.
if [ "${NETPAL_COMMENT:-false}" = true ] && [ -n "${NETPAL_PULL:-}" ] && [ -s "$report" ]; then
  path="repos/$GITHUB_REPOSITORY/issues"
  old=$(gh api --paginate "$path/$NETPAL_PULL/comments" \
    --jq '.[] | select(.body | contains("<!-- netpal:sticky -->")) | .id' 2>/dev/null | head -n 1)
  if [ -n "$old" ]; then
    gh api -X PATCH "$path/comments/$old" -F "body=@$report" > /dev/null || echo "::warning::netpal could not edit its comment"
  else
    gh api -X POST "$path/$NETPAL_PULL/comments" -F "body=@$report" > /dev/null || echo "::warning::netpal could not comment"
  fi
fi
exit "$worst"
