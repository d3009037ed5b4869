"""Messages, generated from the .proto files by generate.sh. Do not edit."""
