import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The slowest files, slowest first, so that none of them starts after all others have ended. */
const LONGEST = [
  'e2e/cluster/cluster.system',
  'rabbit/outage.system',
  'dnsmasq/lifetime.system',
  'cli/processes-mariadb.system',
  'rabbit/faults.system',
  'e2e/vm.system',
  'dnsmasq/serving.system',
  'agents/failover.system',
  'e2e/dhcp.system',
  'fault/',
  'lab/vm-command.system',
  'api/hostile',
  'notifier/nova/sender',
  'identity/file',
  'notifier/relay',
  'agents/dhcp/agent-',
  'identity/take-over',
];

/** Orders test files by LONGEST; the others follow, system tests before unit tests. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((part) => moduleId.includes(part));
      if (place !== -1) return place;
      return LONGEST.length + (moduleId.endsWith('.system.test.ts') ? 0 : 1);
    };
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}
