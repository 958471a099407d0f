import { expect } from 'vitest';
import type { Program } from '../support/program.ts';
import type { Cloud } from './cloud.ts';
import { isStock } from './program.ts';

/** Errors that stock programs also log among themselves in the same situation (as `all-stock.interop.test.ts` shows). */
const STOCK_KNOWS: readonly { readonly error: RegExp; readonly why: string }[] = [
  {
    error: /dnsmasq for dhcp with uuid \S+ not found\. The process should not have died/,
    why: 'dnsmasq 2.90 ends at a reload once it has answered a host with a tag (a port with DHCP options of its own)',
  },
  {
    error: /Unable to enable dhcp for \S+ .*IpAddressGenerationFailure No more IP addresses/,
    why: 'a scenario has it refuse a port',
  },
  {
    error: /Will not send event port_delete_end for network \S+ no agent available/,
    why: 'an agent that is switched off releases its ports',
  },
  {
    error:
      /failed in bind_port: \S+SubnetNotFound|Failed to bind port \S+ on host|SubnetInUse: Unable to complete operation/,
    why: 'a server deletes a network bit by bit, and an agent that hears of its deleted port at once asks for another',
  },
  {
    error: /Unable to reload_allocations dhcp for \S+ .*NetworkInterfaceNotFound/,
    why: "an agent that took its own port of a deleted network away hears of the other agent's port",
  },
  {
    error: /Unable to enable dhcp for \S+ .*SubnetInUse Unable to complete .* modified by another concurrent operation/,
    why: 'a stock server locks a subnet while another agent gets its port there; the agent tries again',
  },
  { error: /neutron_lib\/placement\/client\.py/, why: 'there is no Nova and no placement service' },
  {
    error: /oslo_privsep\/daemon\.py/,
    why: 'a helper tells of the exceptions that it hands to its agent, which logs those that matter',
  },
  {
    error: /Failed unplugging interface 'ns-\S+'/,
    why: 'a device that went while its network was deleted',
  },
];

/** Printed by Python between chained exceptions, which form one traceback. */
const CHAINED = /(another exception occurred|cause of the following exception):[ |]*$/;

/** Returns records at level ERROR and CRITICAL, and standalone tracebacks, each as one line. */
export function stockErrors(log: string): readonly string[] {
  const records: string[] = [];
  let last = '';
  let inTraceback = false;
  for (const line of log.split('\n')) {
    const [beginning, , level] = /^(\S+ \S+ \d+ ([A-Z]+) \S+)/.exec(line) ?? [];
    if (beginning !== undefined) {
      // Each line of a logged traceback repeats time, process, level and module.
      if ((level === 'ERROR' || level === 'CRITICAL') && beginning !== last) records.push(line);
      last = beginning;
      inTraceback = false;
    } else if (line.startsWith('Traceback') && !(inTraceback && CHAINED.test(records.at(-1) ?? ''))) {
      records.push(line);
      inTraceback = true;
    } else if (inTraceback) {
      records.push(`${records.pop()} | ${line.trim()}`);
    }
  }
  return records.filter((record) => !STOCK_KNOWS.some(({ error }) => error.test(record)));
}

/** Returns lines at level error, and lines that are not log lines, such as the output of a crash. */
function neutrinoErrors(log: string): readonly string[] {
  return log.split('\n').filter((line) => {
    if (line === '') return false;
    try {
      return ['error', 'fatal'].includes(String((JSON.parse(line) as { level?: string }).level));
    } catch {
      return true;
    }
  });
}

/** Returns the errors logged by a program, without those that stock programs cause among themselves. */
export function errorsIn(program: Program): readonly string[] {
  const log = `${program.stderr}${program.stdout}`;
  const errors = isStock(program) ? stockErrors(log) : neutrinoErrors(log);
  return errors.map((line) => `${program.name}: ${line}`);
}

/** Fails with the errors logged by any program of the cloud, without those that the test has caused (`known`). */
export function expectCleanLogs(cloud: Cloud, known?: RegExp): void {
  expect(cloud.programs.flatMap(errorsIn).filter((line) => !known?.test(line))).toEqual([]);
}
