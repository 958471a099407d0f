import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../../src/time/wait.ts';
import type { ApiClient } from '../support/api-client.ts';
import type { NeutrinoProcess } from '../support/neutrino.ts';
import type { Chance } from './chance.ts';
import type { CastTap } from './deployment/cast-tap.ts';
import type { ClusterAgents, FaultCluster } from './deployment/cluster.ts';

/** A fault and its repair. */
export interface Fault {
  readonly name: string;
  /** Its relative frequency. */
  readonly weight: number;
  bring(cluster: FaultCluster, chance: Chance, tap: CastTap): Promise<void>;
}

/** Maximum downtime of a process or service in milliseconds. */
const AWAY_MS = 1_500;
/** Time limit to wait for a transaction to break. */
const CUT_MS = 2_000;

/** Time limit for networks to leave a dead agent, because recently started servers first observe heartbeats. */
const MOVED_MS = 90_000;
/** Removes what a host loses without power: everything that agents created there, but not machines. */
const LOSE_ALL = `
kill -9 $(grep -lsx dnsmasq /proc/[0-9]*/comm | cut -d/ -f3)
for space in /run/netns/qdhcp-*; do ip netns delete "\${space##*/}"; done
for bridge in /sys/class/net/brq*; do ip link delete dev "\${bridge##*/}"; done
for vxlan in /sys/class/net/vxlan-*; do ip link delete dev "\${vxlan##*/}"; done
`;

async function cutPower({ host, dhcp, l2 }: ClusterAgents): Promise<void> {
  await Promise.all([dhcp.kill(), l2.kill()]);
  await host.tryRun('sh', '-c', LOSE_ALL);
}

const startAgents = ({ dhcp, l2 }: ClusterAgents) => Promise.all([dhcp.start(), l2.start()]);

const away = (chance: Chance) => pause(chance.real() * AWAY_MS);

async function killAndStart(process: NeutrinoProcess, chance: Chance): Promise<void> {
  await process.kill();
  await away(chance);
  await process.start();
}

export const FAULTS: readonly Fault[] = [
  {
    // This includes the relay of the outbox.
    name: 'a server is killed',
    weight: 4,
    bring: ({ servers }, chance) => killAndStart(chance.of(servers).process, chance),
  },
  {
    name: 'both servers are killed',
    weight: 1,
    async bring({ servers }, chance) {
      await Promise.all(servers.map(({ process }) => process.kill()));
      await away(chance);
      await Promise.all(servers.map(({ process }) => process.start()));
    },
  },
  {
    name: 'a DHCP agent is killed',
    weight: 4,
    bring: ({ agents }, chance) => killAndStart(chance.of(agents).dhcp, chance),
  },
  {
    name: 'an L2 agent is killed',
    weight: 2,
    bring: ({ agents }, chance) => killAndStart(chance.of(agents).l2, chance),
  },
  {
    name: 'a host of agents loses its power',
    weight: 2,
    async bring({ agents }, chance) {
      const lost = chance.of(agents);
      await cutPower(lost);
      await away(chance);
      await startAgents(lost);
    },
  },
  {
    name: "the clock of an agents' host jumps",
    weight: 2,
    async bring({ agents }, chance) {
      const { dhcp, l2 } = chance.of(agents);
      for (const again of [true, false]) {
        // See cluster/jumping-clock.ts.
        await Promise.all([dhcp.signal('SIGUSR2'), l2.signal('SIGUSR2')]);
        if (again) await away(chance);
      }
    },
  },
  {
    name: 'the broker is killed',
    weight: 1,
    async bring({ rabbit }, chance, tap) {
      await rabbit.stop('SIGKILL');
      await away(chance);
      await rabbit.start();
      await tap.listen();
    },
  },
  {
    name: 'the broker is stopped',
    weight: 1,
    async bring({ rabbit }, chance, tap) {
      await rabbit.stop('SIGTERM');
      await away(chance);
      await rabbit.start();
      await tap.listen();
    },
  },
  {
    name: 'the database is killed',
    weight: 1,
    async bring({ mariadb }, chance) {
      await mariadb.kill();
      await away(chance);
      await mariadb.start();
    },
  },
  {
    name: 'the database is stopped',
    weight: 1,
    async bring({ mariadb }, chance) {
      await mariadb.stop();
      await away(chance);
      await mariadb.start();
    },
  },
  {
    name: 'transactions break in the middle',
    weight: 3,
    async bring({ toDatabase }, chance) {
      const places = ['insert into `ipallocations`', 'insert into `outbox`', 'update `ports`', 'delete from `ports`'];
      for (let i = 0; i < 5; i++) await toDatabase.cutOn(chance.of(places), chance.of(['before', 'after']), CUT_MS);
    },
  },
  {
    name: 'transactions break at their commit',
    weight: 3,
    async bring({ toDatabase }, chance) {
      for (let i = 0; i < 5; i++) await toDatabase.cutOn('commit', chance.of(['before', 'after']), CUT_MS);
    },
  },
  {
    name: 'the relay loses the database while it clears the outbox',
    weight: 2,
    async bring({ toDatabase }, chance) {
      for (let i = 0; i < 3; i++)
        await toDatabase.cutOn('delete from `outbox`', chance.of(['before', 'after']), CUT_MS);
    },
  },
  {
    name: 'all ways to the database break',
    weight: 1,
    bring: async ({ toDatabase }) => toDatabase.breakAll(),
  },
  {
    name: 'all ways to the broker break',
    weight: 3,
    bring: async ({ toBroker }) => toBroker.breakAll(),
  },
  {
    name: 'messages to agents break on their way',
    weight: 2,
    async bring({ toBroker }, chance) {
      for (let i = 0; i < 3; i++) await toBroker.cutOn('port_', chance.of(['before', 'after']), CUT_MS);
    },
  },
  {
    name: 'messages to agents come again, in any order',
    weight: 3,
    async bring(_cluster, chance, tap) {
      const told = await tap.resend(200, chance);
      if (told === 0) throw new Error('no message to agents was heard that could be told again');
    },
  },
];

/** Faults that only matter with a short agent_down_time. */
export const FAILOVERS: readonly Fault[] = [
  {
    name: 'a DHCP agent is away until its networks have moved',
    weight: 6,
    async bring({ servers, agents }, chance) {
      const { host, dhcp } = chance.of(agents);
      await dhcp.kill();
      await networksLeave(chance.of(servers).api, host.name);
      await dhcp.start();
    },
  },
  {
    name: 'a host is without power until its networks have moved',
    weight: 3,
    async bring({ servers, agents }, chance) {
      const lost = chance.of(agents);
      await cutPower(lost);
      await networksLeave(chance.of(servers).api, lost.host.name);
      await startAgents(lost);
    },
  },
];

async function networksLeave(api: ApiClient, host: string): Promise<void> {
  await waitFor(
    `the networks of ${host} to move`,
    async () => {
      // A recently started server may not respond yet, or not have reached its database.
      const [agent] = await api.agents(`host=${host}&agent_type=DHCP%20agent`).catch(() => []);
      const answer = agent && (await api.request('GET', `agents/${agent.id}/dhcp-networks`).catch(() => undefined));
      const networks = answer?.status === 200 ? (answer.body.networks as readonly unknown[]) : undefined;
      return networks?.length === 0 || undefined;
    },
    { timeoutMs: MOVED_MS, intervalMs: 500 },
  );
}

/** Yields faults: first each once, then by weight. */
export function* faultsToCome(all: readonly Fault[], chance: Chance): Generator<Fault, never> {
  const once = [...all];
  while (once.length > 0) yield once.splice(chance.whole(0, once.length - 1), 1)[0] as Fault;
  const weighted = all.flatMap((fault) => Array.from({ length: fault.weight }, () => fault));
  for (;;) yield chance.of(weighted);
}
