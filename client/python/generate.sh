#!/usr/bin/env bash
# Makes src/farthing/_proto again from the .proto files of the repository; with --check it only says whether that would
# change anything. Needs: pip install '.[generate]'
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

protos=../../proto/proto
out=src/farthing/_proto
new="$(mktemp -d)"
trap 'rm -rf "$new"' EXIT

python3 -m grpc_tools.protoc --proto_path="$protos" --python_out="$new" "$protos"/farthing/v1/*.proto
mv "$new"/farthing/v1/*_pb2.py "$new"
rm -r "$new/farthing"
# The generated modules import each other by the path of the .proto files; here they are neighbours.
sed -i 's/^from farthing\.v1 import /from farthing._proto import /' "$new"/*_pb2.py
printf '"""Messages, generated from the .proto files by generate.sh. Do not edit."""\n' > "$new/__init__.py"

if [[ "${1:-}" == --check ]]; then
  diff -r --exclude=__pycache__ "$new" "$out" || { echo "generated code is not that of the .proto files: run client/python/generate.sh"; exit 1; }
else
  rm -rf "$out"
  mkdir -p "$out"
  cp "$new"/* "$out"
fi
