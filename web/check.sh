#!/bin/sh
# Fails unless the committed bundle is, byte for byte, what this source builds to. Run `npm ci` first.
set -eu
cd "$(dirname "$0")"
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT

npx tsc --noEmit
npx vitest run
npx vite build --logLevel warn --outDir "$built" --emptyOutDir
if ! diff -r "$built" ../src/tabwright/serving/page; then
    echo "src/tabwright/serving/page is not what web/ builds to: run 'make web' and commit the result" >&2
    exit 1
fi
echo "src/tabwright/serving/page matches web/"
