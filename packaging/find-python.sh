# Sourced by run, test and build: sets $python to a Python >= 3.11, or says what is missing and exits.
# Plain sh, since it has to speak up on any machine.

python=
for candidate in ${EDGECAM_PYTHON:+"$EDGECAM_PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  found=$(python3 --version 2>/dev/null) || found="no Python"
  echo "edgecam needs Python 3.11 or newer; this machine has ${found}." >&2
  echo "Install one (Debian 12, Ubuntu 24.04 and Raspberry Pi OS Bookworm have it: apt-get install python3)," >&2
  echo "or name it: EDGECAM_PYTHON=/path/to/python3.11 $0" >&2
  exit 1
fi
