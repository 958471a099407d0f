# Sourced by the programs in bin/. Plain sh, for it runs before anything is installed and on every start: when nothing is
# missing it starts one process (sha256sum) and then becomes Node. $root is the project's folder.

# Commands that are needed and the Debian packages that have them: one "command package purpose [service]" a line.
tool_list=$root/bin/setup/debian-packages

say() {
  printf 'neutrino: %s\n' "$*" >&2
}

# Puts the project's own Node first, once it is there. /usr/sbin is missing from the PATH of plain users.
choose_path() {
  case :$PATH: in *:/usr/sbin:*) ;; *) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin ;; esac
  if [ -x "$root/.node/bin/node" ]; then PATH=$root/.node/bin:$PATH; fi
  export PATH
}

# The major version of the Node in PATH, 0 when there is none.
node_major() {
  version=$(node --version 2>/dev/null) || version=v0.
  version=${version#v}
  printf '%s' "${version%%.*}"
}

# $1 = run or dev. The stamp holds which packages are there and the hash of the lock file they were installed from.
packages_ready() {
  # A link belongs to another folder, as in a git worktree: npm would empty that folder.
  [ ! -L "$root/node_modules" ] || return 0
  stamp_kind='' stamp_hash=''
  # The test before the read: a redirection from a missing file would end the shell.
  [ -r "$root/node_modules/.neutrino-installed" ] || return 1
  read -r stamp_kind stamp_hash <"$root/node_modules/.neutrino-installed" || return 1
  [ "$stamp_kind" = dev ] || [ "$stamp_kind" = "$1" ] || return 1
  sum=$(sha256sum <"$root/package-lock.json") || return 1
  [ "${sum%% *}" = "$stamp_hash" ]
}

# $1 = none, up, test or interop. Without root nothing can be installed: the commands say themselves what they miss.
tools_ready() {
  [ "$1" = none ] && return 0
  while read -r command package purpose service; do
    case $command in '' | '#'*) continue ;; esac
    case $1:$purpose in *:up | test:test | test:keystone | interop:*) ;; *) continue ;; esac
    if ! command -v "$command" >/dev/null 2>&1; then
      [ "$(id -u)" != 0 ]
      return
    fi
  done <"$tool_list"
  return 0
}

# $1 = packages, $2 = tools. One at a time: the kernel drops the lock with the process, however that ends.
set_up() {
  if [ "$(node_major)" -lt 18 ]; then
    say "Node.js 20 or newer and npm are needed, found: $(node --version 2>/dev/null || echo none)."
    say 'Install them (on Debian 13 and Ubuntu 25.04 or newer: apt-get install nodejs npm) and start again.'
    exit 1
  fi
  if ! mkdir -p "$root/.node" 2>/dev/null || [ ! -w "$root/.node" ]; then
    say "cannot write to $root/.node, where Neutrino keeps what it installs: run this once as the owner of $root."
    exit 1
  fi
  if ! command -v flock >/dev/null 2>&1; then
    node "$root/bin/setup/setup.mjs" "$1" "$2" || exit 1
    return
  fi
  code=0
  flock -n -E 75 "$root/.node/setup.lock" node "$root/bin/setup/setup.mjs" "$1" "$2" || code=$?
  if [ "$code" = 75 ]; then
    say "another process sets things up (see $root/.node/setup.log), waiting for it ..."
    code=0
    flock -w 900 -E 75 "$root/.node/setup.lock" node "$root/bin/setup/setup.mjs" "$1" "$2" || code=$?
    if [ "$code" = 75 ]; then say 'the other process has been setting things up for 15 minutes; giving up.'; fi
  fi
  if [ "$code" != 0 ]; then exit "$code"; fi
}

# launch PACKAGES TOOLS ENTRY [ARGUMENT...]: sets up what is missing and becomes Node running ENTRY.
launch() {
  packages=$1 tools=$2 entry=$3
  shift 3
  choose_path
  if { [ ! -x "$root/.node/bin/node" ] && [ "$(node_major)" -lt 24 ]; } || ! packages_ready "$packages" ||
    ! tools_ready "$tools"; then
    set_up "$packages" "$tools"
    choose_path
  fi
  # Node keeps what it made of the sources, which halves the time to start. Without the right to write it does without.
  NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE-$root/.node/compile-cache}
  export NODE_COMPILE_CACHE
  # node:sqlite calls itself experimental in Node 24.
  exec node --disable-warning=ExperimentalWarning "$root/$entry" "$@"
}
