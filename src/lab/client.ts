/** Options requested in addition to those of busybox udhcpc (1, 3, 6, 12, 15, 28): search list, MTU, lease, T1, T2, routes. */
const REQUESTED = ['hostname', 'domain', 'search', 'mtu', 'lease', '58', '59', 'staticroutes', 'msstaticroutes'];

/** Seconds between DISCOVERs, their number, and the pause after them: shorter than usual, for those who watch. */
const PACE = ['-T', '2', '-t', '5', '-A', '3'];

/** Returns the arguments of `busybox` that run a DHCP client on one NIC in the foreground. */
export function clientCommand(options: {
  readonly nic: string;
  readonly script: string;
  readonly pidFile: string;
  readonly requestOptions?: readonly string[];
  readonly clientArguments?: readonly string[];
}): string[] {
  const { nic, script, pidFile, requestOptions = [], clientArguments = [] } = options;
  const requested = [...new Set([...REQUESTED, ...requestOptions])].flatMap((option) => ['-O', option]);
  return ['udhcpc', '-f', '-i', nic, '-s', script, '-p', pidFile, ...PACE, ...requested, ...clientArguments];
}

/**
 * Returns the script that udhcpc runs on each event (`deconfig`, `bound`, `renew`, `nak`, `leasefail`). It configures the NIC with
 * address, mask, broadcast, MTU, routes and DNS, and stores everything that it received as `<nic>.lease`: the environment,
 * NUL-separated, so that values cannot be confused. It reads these variables of the client's environment:
 *
 * - NEUTRINO_FOLDER: folder for leases, routes and the log;
 * - NEUTRINO_RESOLV: the resolv.conf to write; none if empty;
 * - NEUTRINO_CONSOLE: device on which leases are reported as base64, for a machine whose files the host cannot read; none if empty;
 * - NEUTRINO_SET_HOSTNAME: `yes` in a virtual machine; a namespace shares its name with the host.
 *
 * @param busybox path of busybox in the guest
 */
export function clientScript(busybox: string): string {
  return `#!${busybox} sh
# Made by Neutrino: configures a NIC with what DHCP gave. Called by busybox udhcpc.
bb=${busybox}
nic=$interface
folder=\${NEUTRINO_FOLDER:?}

keep_lease() {
  read -r uptime rest < /proc/uptime
  export event="$1" uptime
  "$bb" cat /proc/self/environ > "$folder/.$nic.new" && "$bb" mv "$folder/.$nic.new" "$folder/$nic.lease"
  if [ -n "$NEUTRINO_CONSOLE" ]; then
    read -r mac < "/sys/class/net/$nic/address"
    echo "NEUTRINO-LEASE $mac $("$bb" base64 -w 0 "$folder/$nic.lease")" > "$NEUTRINO_CONSOLE"
  fi
}

# The new address comes before the old one goes: a renewal never leaves the NIC bare.
set_address() {
  "$bb" ip link set dev "$nic" up
  "$bb" ip addr replace "$ip/\${mask:-32}" broadcast "\${broadcast:-+}" dev "$nic"
  "$bb" ip -4 -o addr show dev "$nic" | while read -r index name family old rest; do
    [ "$old" = "$ip/\${mask:-32}" ] || "$bb" ip addr del "$old" dev "$nic"
  done
  [ -z "$mtu" ] || "$bb" ip link set dev "$nic" mtu "$mtu"
}

# RFC 3442: who gets option 121 (249 is Microsoft's number for it) MUST ignore the router option.
wanted_routes() {
  set -f
  set -- \${staticroutes:-$msstaticroutes}
  if [ $# -eq 0 ]; then
    for gateway in $router; do echo "0.0.0.0/0 $gateway"; break; done
  fi
  while [ $# -ge 2 ]; do echo "$1 $2"; shift 2; done
  set +f
}

# Routes on the link itself go first: a gateway may lie behind one.
set_routes() {
  wanted_routes > "$folder/.$nic.routes.new"
  if [ -f "$folder/$nic.routes" ] && ! "$bb" cmp -s "$folder/$nic.routes" "$folder/.$nic.routes.new"; then
    while read -r to gateway; do "$bb" ip route del "$to" dev "$nic" 2> /dev/null; done < "$folder/$nic.routes"
  fi
  while read -r to gateway; do
    [ "$gateway" != 0.0.0.0 ] || "$bb" ip route replace "$to" dev "$nic"
  done < "$folder/.$nic.routes.new"
  while read -r to gateway; do
    [ "$gateway" = 0.0.0.0 ] || "$bb" ip route replace "$to" via "$gateway" dev "$nic"
  done < "$folder/.$nic.routes.new"
  "$bb" mv "$folder/.$nic.routes.new" "$folder/$nic.routes"
}

# Written in place: the file may be mounted elsewhere.
set_dns() {
  [ -n "$NEUTRINO_RESOLV" ] || return 0
  {
    [ -z "\${search:-$domain}" ] || echo "search \${search:-$domain}"
    for server in $dns; do echo "nameserver $server"; done
  } > "$folder/$nic.resolv"
  "$bb" cat "$folder"/*.resolv > "$NEUTRINO_RESOLV"
}

forget() {
  "$bb" rm -f "$folder/$nic.lease" "$folder/$nic.routes" "$folder/$nic.resolv"
  "$bb" ip -4 addr flush dev "$nic"
  "$bb" ip link set dev "$nic" up
}

# A client that nobody answers says so for ever: its log starts anew at 1 MiB.
bound_log() {
  [ ! -f "$folder/$nic.log" ] || [ "$("$bb" stat -c %s "$folder/$nic.log")" -lt 1048576 ] || : > "$folder/$nic.log"
}

bound_log
case "$1" in
  deconfig) forget ;;
  bound | renew)
    set_address
    set_routes
    set_dns
    # Metadata names the machine for good.
    [ "$NEUTRINO_SET_HOSTNAME" != yes ] || [ -z "$hostname" ] || [ -s "$folder/hostname" ] || "$bb" hostname "$hostname"
    keep_lease "$1"
    ;;
esac
exit 0
`;
}
