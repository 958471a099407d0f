import type { BootReport, NicReport } from './boot.ts';
import type { ListedMachine } from './list.ts';
import { guestNamespace } from './namespace-guest.ts';
import { renderTable } from './table.ts';
import type { SeenMessage } from './watch-exchange.ts';

/** Formats a message of an exchange as a line: the server's time, milliseconds since the start, NIC, message, address. */
export function exchangeLine({ time, ms, nic, kind, address, mac, note }: SeenMessage): string {
  const words = [
    time,
    `+${ms} ms`.padStart(9),
    nic.padEnd(5),
    kind.padEnd(8),
    (address ?? '').padEnd(15),
    mac,
    note ?? '',
  ];
  return words.join('  ').trimEnd();
}

/** Returns a lease time as text; 4294967295 seconds are infinite (RFC 2131, section 3.3). */
function leaseTime(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return '-';
  return seconds === 0xffffffff ? 'infinite' : `${seconds} s`;
}

const HEADINGS = ['NIC', 'MAC', 'ASKED FOR', 'GOT', 'LEASE', 'ROUTER', 'DNS', 'TO LEASE'];

function row({ nic, lease, problem }: NicReport): readonly string[] {
  const asked = nic.asked.join(' ') || '-';
  if (!lease) return [nic.name, nic.mac, asked, nic.asked.length > 0 ? 'nothing' : (problem ?? ''), '-', '-', '-', '-'];
  const { address, leaseSeconds, routers, dns, ms } = lease;
  return [
    nic.name,
    nic.mac,
    asked,
    address,
    leaseTime(leaseSeconds),
    routers.join(',') || '-',
    dns.join(',') || '-',
    `${ms} ms`,
  ];
}

/** Returns the table at the end of a boot, and a line for each NIC that did not get the address of its port. */
export function bootTable({ nics, instance }: BootReport): string {
  const complaints = nics
    .filter(({ right }) => !right)
    .map(
      ({ nic, lease, problem }) =>
        problem ?? `${instance.name}: ${nic.name} got ${lease?.address}, its port has ${nic.asked.join(' ')}`,
    );
  return [renderTable(HEADINGS, nics.map(row)), ...complaints].join('\n');
}

/** Returns the same facts for JSON output. */
export function bootJson({ instance, folder, nics, exchange, right }: BootReport): unknown {
  const { id, name, kind, host } = instance;
  return {
    id,
    name,
    kind,
    host,
    folder,
    ...(kind === 'namespace' ? { namespace: guestNamespace(id) } : {}),
    right,
    nics: nics.map(({ nic, lease, problem, right: rightNic }) => ({ ...nic, right: rightNic, problem, lease })),
    exchange,
  };
}

/** Returns a table with a line per machine, followed by a line per NIC. */
export function machineList(machines: readonly ListedMachine[]): string {
  if (machines.length === 0) return 'no machines; neutrino vm boot NAME --network NET boots one';
  const heads = machines.map(({ id, name, kind, status }) => [
    name ?? '-',
    id,
    kind === 'qemu' ? 'virtual machine' : kind === 'namespace' ? guestNamespace(id) : '-',
    status,
  ]);
  const headLines = renderTable(['NAME', 'UUID', 'GUEST', 'STATUS'], heads).split('\n');
  const nics = machines.flatMap((machine) => machine.nics.map((nic) => ({ machine, ...nic })));
  if (nics.length === 0) return headLines.join('\n');
  const nicTable = renderTable(
    ['MACHINE', 'NIC', 'NETWORK', 'MAC', 'FIXED IP', 'GOT'],
    nics.map(({ machine, nic, got }) => [
      machine.name ?? '-',
      nic.name,
      nic.networkName || nic.networkId,
      nic.mac,
      nic.fixedIps.join(' ') || '-',
      got ?? '-',
    ]),
  );
  return [...headLines, '', nicTable].join('\n');
}
