#!/usr/bin/env bash
# What the action does, so that it can be run and tested anywhere: every input comes as a NETPAL_... variable. None but
# `render`, which is a command, is ever part of a line that a shell reads again. --allow-exec is passed for that command
# alone, which the workflow chooses: a pull request's netpal.yaml must not.
set -uo pipefail

netpal=${NETPAL_BIN:-netpal}
report=${RUNNER_TEMP:-/tmp}/netpal.md
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
input=()
[ -z "${NETPAL_PATH:-}" ] || input+=(-f "$NETPAL_PATH")
[ -z "${NETPAL_KUSTOMIZE:-}" ] || input+=(-k "$NETPAL_KUSTOMIZE")
compared=("${input[@]}")
parts=()
worst=0
note() { [ "$1" -le "$worst" ] || worst=$1; }
marker='<!-- netpal:sticky -->'
# the summary is written once, below
unset GITHUB_STEP_SUMMARY

if [ -n "${NETPAL_RENDER:-}" ]; then
  compared=(--render "$NETPAL_RENDER" --allow-exec)
  input=(-f "${RUNNER_TEMP:-/tmp}/netpal-rendered.yaml")
  if ! sh -c "$NETPAL_RENDER" > "${input[1]}"; then
    echo "::error::the command of render failed, so there are no manifests to look at"
    exit 2
  fi
fi
if [ -n "${NETPAL_BASE:-}" ]; then
  "$netpal" diff "$NETPAL_BASE" "${compared[@]}" --fail-on "${NETPAL_FAIL_ON:-widened}" -o "md=$report.diff" -o text
  note $?
  parts+=("$report.diff")
fi
if [ "${NETPAL_LINT:-false}" = true ]; then
  "$netpal" lint "${input[@]}" -o github -o "md=$report.lint"
  note $?
  parts+=("$report.lint")
fi
if [ "${NETPAL_TESTS:-true}" = true ]; then
  "$netpal" test "${input[@]}" -o github -o "md=$report.tests"
  note $?
  parts+=("$report.tests")
fi
if [ "${NETPAL_SNAPSHOT:-false}" = true ]; then
  "$netpal" snapshot --check "${input[@]}" -o github -o "md=$report.snapshot"
  note $?
  parts+=("$report.snapshot")
fi
# one report of all parts that were written; the marker by which the comment is found again stands once, at its end, and
# GitHub takes no longer comment
: > "$report"
for part in "${parts[@]}"; do
  [ ! -s "$part" ] || { cat "$part"; echo; }
done | grep -vF -- "$marker" | head -c 60000 > "$report"
[ ! -s "$report" ] || printf '\n%s\n' "$marker" >> "$report"
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
