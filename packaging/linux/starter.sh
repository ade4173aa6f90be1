#!/bin/sh
# Starts the program beside it. Where that cannot run, the kernel's own words would be "No such file or directory".
if [ ! -e "@LOADER@" ]; then
  echo "edgecam: this package is for @SYSTEM@, and this system has no @LOADER@. @INSTEAD@" >&2
  exit 1
fi
self=$(readlink -f "$0")
exec "${self%/*}/edgecam-program" "$@"
