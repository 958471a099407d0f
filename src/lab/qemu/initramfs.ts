import { gzipSync } from 'node:zlib';
import { clientCommand, clientScript } from '../client.ts';
import { cpioArchive } from './cpio.ts';
import type { KernelModule } from './modules.ts';

const BUSYBOX = '/bin/busybox';
const SCRIPT = '/etc/dhcp-client.sh';

/** Marks the console line printed when the machine is up and its DHCP clients start. */
const READY = 'NEUTRINO-READY';
/** Marks the console line with the machine's meta_data.json in base64. */
export const METADATA = 'NEUTRINO-METADATA';

/**
 * Returns the init program of the machine: loads the modules, starts a DHCP client on each NIC, asks for metadata, then reads commands from the
 * console, `renew MAC` and `poweroff`.
 */
function initScript(requestOptions: readonly string[], clientArguments: readonly string[]): string {
  const client = clientCommand({
    nic: '"$nic"',
    script: SCRIPT,
    pidFile: '"/run/$nic.pid"',
    requestOptions: requestOptions.map(quoted),
    clientArguments: clientArguments.map(quoted),
  });
  return `#!${BUSYBOX} sh
bb=${BUSYBOX}
export PATH=/bin
"$bb" mount -t proc proc /proc
"$bb" mount -t sysfs sys /sys
"$bb" mount -t devtmpfs dev /dev
"$bb" dmesg -n 1
for module in /modules/*.ko; do
  [ -f "$module" ] && { "$bb" insmod "$module" || echo "NEUTRINO-FAILED insmod $module"; }
done

read -r command_line < /proc/cmdline
for word in $command_line; do
  case "$word" in neutrino.nics=*) wanted=\${word#neutrino.nics=} ;; esac
done
nics() { for path in /sys/class/net/eth*; do [ -e "$path" ] && echo "\${path##*/}"; done; }
patience=100
while [ "$(nics | "$bb" wc -l)" -lt "\${wanted:-1}" ] && [ "$patience" -gt 0 ]; do
  "$bb" usleep 100000
  patience=$((patience - 1))
done
[ "$patience" -gt 0 ] || echo "NEUTRINO-FAILED only $(nics | "$bb" wc -l) of \${wanted:-1} NICs appeared"

"$bb" ip link set lo up
export NEUTRINO_FOLDER=/run NEUTRINO_RESOLV=/etc/resolv.conf NEUTRINO_CONSOLE=/dev/console NEUTRINO_SET_HOSTNAME=yes
read -r NEUTRINO_STARTED_UPTIME rest < /proc/uptime
export NEUTRINO_STARTED_UPTIME
echo ${READY}
for nic in $(nics); do
  "$bb" ${client.join(' ')} > "/run/$nic.log" 2>&1 < /dev/null &
done

# As cloud-init does; where nobody answers, the machine goes on without. (Debian 12's wget crashes with -T.)
metadata() {
  url=http://169.254.169.254/openstack/latest
  tries=0
  until "$bb" timeout 10 "$bb" wget -q -O /run/meta_data.json "$url/meta_data.json"; do
    tries=$((tries + 1))
    [ "$tries" -lt 10 ] || return 0
    "$bb" sleep 2
  done
  "$bb" timeout 10 "$bb" wget -q -O /run/user_data "$url/user_data" || "$bb" rm -f /run/user_data
  "$bb" sed -n 's/.*"hostname":"\\([^".]*\\).*/\\1/p' /run/meta_data.json > /run/hostname
  [ ! -s /run/hostname ] || "$bb" hostname -F /run/hostname
  echo "${METADATA} $("$bb" base64 -w 0 /run/meta_data.json)"
}
metadata 2> /dev/null < /dev/null &

while :; do
  read -r order mac || { "$bb" sleep 1; continue; }
  case "$order" in
    renew)
      for nic in $(nics); do
        read -r own < "/sys/class/net/$nic/address"
        [ "$own" = "$mac" ] || continue
        read -r pid < "/run/$nic.pid" && kill -USR1 "$pid"
      done
      ;;
    poweroff) "$bb" poweroff -f ;;
  esac
done
`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Returns the compressed initramfs of the machine: a static busybox, kernel modules in the order given, and the scripts. */
export function initramfs(options: {
  readonly busybox: Uint8Array;
  readonly modules: readonly KernelModule[];
  readonly requestOptions?: readonly string[];
  readonly clientArguments?: readonly string[];
}): Buffer {
  const { busybox, modules, requestOptions = [], clientArguments = [] } = options;
  const folders = ['bin', 'dev', 'etc', 'modules', 'proc', 'run', 'sys', 'tmp'];
  const archive = cpioArchive([
    ...folders.map((path) => ({ kind: 'folder', path }) as const),
    // The kernel opens it as init's standard streams before anything is mounted.
    { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
    { kind: 'file', path: 'bin/busybox', data: busybox, executable: true },
    { kind: 'link', path: 'bin/sh', target: 'busybox' },
    { kind: 'file', path: SCRIPT.slice(1), data: clientScript(BUSYBOX), executable: true },
    { kind: 'file', path: 'init', data: initScript(requestOptions, clientArguments), executable: true },
    ...modules.map(
      ({ name, data }, i) =>
        ({ kind: 'file', path: `modules/${String(i).padStart(2, '0')}-${name}.ko`, data }) as const,
    ),
  ]);
  return gzipSync(archive, { level: 1 });
}
