import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pino } from 'pino';
import type { MetadataProxies } from '../../src/agents/dhcp/metadata/contract.ts';
import { HaproxyProxies, haproxyFiles } from '../../src/agents/dhcp/metadata/haproxy.ts';
import { controlSocket, NativeProxies } from '../../src/agents/dhcp/metadata/native/native-proxies.ts';
import { defaultConfig } from '../../src/config/options.ts';
import { nativeObstacle } from '../../src/linux/native.ts';
import { run } from '../../src/linux/run.ts';
import { isProgram } from '../../test/support/is-program.ts';
import type { Section, World } from '../contract.ts';
import { ratios } from '../spread.ts';
import { makePlaces, type Place, removePlaces } from './namespaces.ts';

const NETWORKS = 100;
const QUICK_NETWORKS = 10;
const REQUESTS = 2_000;
/** Networks that an agent works on at the same time (num_sync_threads). */
const PARALLEL = 4;

/** Measures the metadata proxies of many networks: one process for all, and a haproxy for each. */
export const metadataSection: Section = {
  name: 'metadata',
  title: `metadata proxies of ${NETWORKS} networks: one process for all, and a haproxy for each`,
  obstacle() {
    if (process.geteuid?.() !== 0) return 'needs root';
    return nativeObstacle() ?? (isProgram('/usr/sbin/haproxy') ? undefined : 'haproxy is missing');
  },
  async run(world) {
    const places = await makePlaces(world.quick ? QUICK_NETWORKS : NETWORKS);
    try {
      return await measure(world, places);
    } finally {
      await removePlaces(places);
    }
  },
};

interface Measured {
  readonly open: number[];
  readonly memory: number[];
  readonly requests: number[];
}

async function measure(world: World, places: readonly Place[]) {
  const native: Measured = { open: [], memory: [], requests: [] };
  const haproxy: Measured = { open: [], memory: [], requests: [] };
  const { DEFAULT, metadata_rate_limiting } = defaultConfig();
  const socket = join(world.folder, 'agent');
  const options = {
    state_path: world.folder,
    external_pids: join(world.folder, 'pids'),
    metadata_proxy_socket: socket,
  };
  const config = { metadata_rate_limiting, DEFAULT: { ...DEFAULT, ...options } };
  const log = pino({ level: 'silent' });
  const agent = createServer((_req, res) => res.end('x'.repeat(500))).listen(socket);
  const rounds = world.quick ? 2 : 5;
  try {
    for (let round = 1; round <= rounds; round++) {
      world.progress(`round ${round} of ${rounds}`);
      await once(native, new NativeProxies({ config, log }), places, () => [`${controlSocket(config.DEFAULT)}.pid`]);
      await once(haproxy, new HaproxyProxies({ config, log }), places, () =>
        places.map(({ networkId }) => haproxyFiles(config.DEFAULT, networkId).pid),
      );
    }
  } finally {
    agent.closeAllConnections();
    agent.close();
  }
  const figures = (name: string, { open, memory, requests }: Measured) => [
    { what: `${name}: until all listen`, unit: 'ms', rounds: open },
    { what: `${name}: memory (PSS)`, unit: 'MB', rounds: memory },
    { what: `${name}: requests on one network, 8 at once, each on its own connection`, unit: '/s', rounds: requests },
  ];
  return {
    figures: [...figures('one process', native), ...figures('haproxies', haproxy)],
    ratios: [
      {
        what: 'one process / haproxies: until all listen',
        rounds: ratios(native.open, haproxy.open),
        goal: { most: 0.5 },
      },
      { what: 'one process / haproxies: memory', rounds: ratios(native.memory, haproxy.memory), goal: { most: 0.5 } },
      { what: 'one process / haproxies: requests', rounds: ratios(native.requests, haproxy.requests) },
    ],
  };
}

/** Starts the proxies of all networks, measures them, and stops them. */
async function once(
  measured: Measured,
  proxies: MetadataProxies,
  places: readonly Place[],
  pidFiles: () => readonly string[],
): Promise<void> {
  try {
    const began = performance.now();
    const left = [...places];
    const work = async () => {
      for (let place = left.pop(); place; place = left.pop()) await proxies.serve({ ...place, routerId: undefined });
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    measured.open.push(performance.now() - began);
    measured.memory.push(pidFiles().reduce((sum, file) => sum + pss(readFileSync(file, 'utf8').trim()), 0) / 1_000);
    measured.requests.push(await requestsPerSecond(places[0]?.namespace ?? ''));
  } finally {
    for (const { networkId } of places) await proxies.stop(networkId);
    await proxies.close();
  }
}

/** Returns the kilobytes of a process, with its share of what it shares with others (proc(5)). */
const pss = (pid: string): number =>
  Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);

async function requestsPerSecond(namespace: string): Promise<number> {
  const script = `
    const { get } = require('node:http');
    const ask = () => new Promise((resolve, reject) => get('http://169.254.169.254/', { agent: false }, (res) => {
      if (res.statusCode !== 200) reject(new Error(String(res.statusCode)));
      res.resume().on('end', resolve);
    }).on('error', reject));
    (async () => {
      let left = ${REQUESTS};
      const began = performance.now();
      await Promise.all(Array.from({ length: 8 }, async () => { while (left-- > 0) await ask(); }));
      console.log((${REQUESTS} / (performance.now() - began)) * 1000);
    })();`;
  const { stdout } = await run(['nsenter', `--net=/run/netns/${namespace}`, '--', process.execPath, '-e', script], {
    timeoutMs: 60_000,
  });
  return Number(stdout);
}
