#!/bin/sh
# From a fresh machine to a result in one command.
#
#   tools/quickstart.sh                   install what is missing, build, and run the benchmark on ResNet-50
#   tools/quickstart.sh test              install what is missing, build, and run the default tests
#   tools/quickstart.sh install CLASS...  only install what is missing of these classes of tools/packages.txt
#
# Packages come by apt, as root or through sudo; otherwise the line to type is printed. On a system without dpkg nothing
# is installed, and what lacks is left to meson to say. The build goes to ./build, or to $CNNBLAS_BUILD.
# Exit code: 0 fine, 1 the build, a test or a result failed, 2 usage, 3 packages are missing and cannot be installed here.
set -eu

usage="usage: tools/quickstart.sh [test | install CLASS...]"
cd "$(dirname "$0")/.."
build=${CNNBLAS_BUILD:-build}

packages_of() { # CLASS...: the names, one a line
  for class in "$@"; do
    grep -q "^$class " tools/packages.txt || { echo "$usage; there is no class $class" >&2; exit 2; }
    awk -v class="$class" '$1 == class { print $2 }' tools/packages.txt
  done
}

missing_of() { # CLASS...: the names that dpkg does not know as installed
  for package in $(packages_of "$@"); do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

install_packages() { # CLASS...: 0 if all of them are there in the end
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "no dpkg and apt-get here: going on with what is installed (wanted: $(packages_of "$@" | tr '\n' ' '))" >&2
    return 0
  fi
  missing=$(missing_of "$@" | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  line="apt-get install -y --no-install-recommends $missing"
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    printf 'missing packages; as root, type:\n  %s\n' "$line" >&2
    return 1
  fi
  echo "installing: $missing" >&2
  # The package lists of a fresh machine are empty or old.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 || true
  # shellcheck disable=SC2086  # words on purpose
  as_root env DEBIAN_FRONTEND=noninteractive $line >&2 </dev/null || {
    printf 'could not install; as root, type:\n  %s\n' "$line" >&2
    return 1
  }
}

configure_and_build() { # OPTION...: a release build of the present sources in $build
  if [ -f "$build/build.ninja" ]; then
    meson configure "$build" "$@"
  else
    meson setup "$build" --buildtype=release "$@"
  fi
  ninja -C "$build"
}

case ${1:-bench} in
bench)
  [ $# -eq 0 ] || { echo "$usage" >&2; exit 2; }
  install_packages build || exit 3
  install_packages extra || echo "going on without: $(missing_of extra | tr '\n' ' ')" >&2
  configure_and_build -Dtests=disabled -Dbench=enabled >&2
  # One image a call and the library alone: about half a minute on two cores. --batch 8 and the peers take longer.
  exec "$build/bench/cnnblas-bench" --set resnet50 --batch 1 --peers none --min-time 0.02
  ;;
test)
  [ $# -eq 1 ] || { echo "$usage" >&2; exit 2; }
  install_packages build test || exit 3
  install_packages extra || echo "going on without: $(missing_of extra | tr '\n' ' ')" >&2
  configure_and_build -Dtests=enabled -Dbench=enabled -Dtools=enabled
  exec meson test -C "$build" --print-errorlogs
  ;;
install)
  shift
  [ $# -gt 0 ] || { echo "$usage" >&2; exit 2; }
  packages_of "$@" >/dev/null # ends here where there is no such class: in a substitution it would end that alone
  install_packages "$@" || exit 3
  ;;
-h | --help)
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"
  ;;
*)
  echo "$usage" >&2
  exit 2
  ;;
esac
