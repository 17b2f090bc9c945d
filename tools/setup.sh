#!/bin/sh
# Makes the virtual environment $1 with erbia (editable) and everything its tests need. Run by the Makefile.
# Needs python3 >= 3.11 with pip, nothing else; Debian's separate python3-venv package is not needed.
set -eu

venv=$1
python=${PYTHON:-python3}
qt_packages="libgl1 libegl1 libxkbcommon0 libfontconfig1 libglib2.0-0 libdbus-1-3 fonts-dejavu-core"
qt_libraries="libGL.so.1 libEGL.so.1 libxkbcommon.so.0 libfontconfig.so.1 libglib-2.0.so.0 libdbus-1.so.3"

die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

missing_qt_libraries() {
    for library in $qt_libraries; do
        "$venv/bin/python" -c "import ctypes; ctypes.CDLL('$library')" 2>/dev/null || printf '%s ' "$library"
    done
}

install_qt_libraries() {
    missing=$(missing_qt_libraries)
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || die "Qt needs the system libraries ${missing}- install them with your package manager"
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        die "Qt needs system libraries (missing: ${missing% }). Run once, then make again:
    sudo apt-get install -y --no-install-recommends $qt_packages"
    fi
    $as_root apt-get update -q
    # shellcheck disable=SC2086  # the list is meant to split
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $qt_packages
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "Python 3.11 or newer is needed, $python is $("$python" -V 2>&1). Name another one: make PYTHON=python3.12 test"

if [ ! -x "$venv/bin/python" ]; then
    "$python" -m venv --without-pip "$venv"
fi
# The system's pip works on the new environment: no ensurepip, and no quarrel with an externally managed Python.
"$venv/bin/python" -m pip --version >/dev/null 2>&1 ||
    "$python" -m pip --python "$venv/bin/python" install -q pip ||
    die "pip is missing for $python. Run once: sudo apt-get install -y python3-pip"

case "$(uname -s)" in Linux) install_qt_libraries ;; esac

# Setuptools warns at length about every editable install of a package that lies at the root: meant so here.
PYTHONWARNINGS=ignore "$venv/bin/python" -m pip install -q -c constraints.txt -e '.[gui,test,dev]'
