#!/usr/bin/env bash
# Announces something to everybody:
#
#   examples/broadcast.sh TITLE MESSAGE
#
# Run it where the server runs, with the server's settings: the token is signed with the server's
# secret, which is in its database unless AUTH_JWT_SECRET is set. RELAY_HTTP_URL names another server,
# RELAY_TOKEN brings a token along.
set -euo pipefail

if [ "$#" -ne 2 ]; then
  echo 'usage: broadcast.sh TITLE MESSAGE' >&2
  exit 64
fi

url=${RELAY_HTTP_URL:-http://127.0.0.1:8080}
token=${RELAY_TOKEN:-$(npx stomp-relay token --user admin --role admin)}
body=$(node -p 'JSON.stringify({ title: process.argv[1], message: process.argv[2] })' -- "$1" "$2")

# The token goes in by standard input: everybody on the machine can read a command line.
curl --silent --show-error --fail-with-body --config - \
  --header 'content-type: application/json' \
  --data-binary "$body" \
  "$url/api/v1/admin/broadcasts" <<<"header = \"authorization: Bearer $token\""
echo
