import type { ChildProcess } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../../../../src/linux/run.ts';
import { setSysctls } from '../../../../../src/linux/sysctl.ts';
import { waitFor } from '../../../../../src/time/wait.ts';
import type { ClientEvents, Told } from './client-events.ts';
import type { World } from './world.ts';

const TIMEOUT_MS = 10_000;

/** The flags of a router advertisement (RFC 4861, 4.2): managed, other, and autonomous of its prefix. */
type Flags = 'managed' | 'other' | 'autonomous';

/** Runs radvd on a machine of its own, with the gateway's address. */
export async function advertise(world: World, prefix: string, flags: readonly Flags[]): Promise<void> {
  const namespace = await world.machine('fa:16:3e:ff:00:06');
  await setSysctls({ 'net/ipv6/conf/all/forwarding': 1 }, { namespace });
  const on = (flag: Flags) => (flags.includes(flag) ? 'on' : 'off');
  const conf = join(world.state, 'radvd.conf');
  await writeFile(
    conf,
    `interface eth0 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4;
      AdvManagedFlag ${on('managed')}; AdvOtherConfigFlag ${on('other')};
      prefix ${prefix} { AdvOnLink on; AdvAutonomous ${on('autonomous')}; };
    };\n`,
  );
  const pid = join(world.state, 'radvd.pid');
  world.spawn([...isolated(namespace), 'radvd', '-n', '-C', conf, '-p', pid, '-m', 'stderr']);
}

/** Runs a command in a namespace, in a process tree that ends together with it: dhcpcd and radvd start processes of their own. */
function isolated(namespace: string): [string, ...string[]] {
  const enter = ['nsenter', `--net=/run/netns/${namespace}`, '--'] as const;
  return [...enter, 'unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
}

/** dhclient of ISC, which asks DHCPv6 whatever routers advertise. */
export class Dhclient {
  readonly namespace: string;
  readonly #world: World;
  readonly #events: ClientEvents;
  #child: ChildProcess | undefined;

  private constructor(world: World, namespace: string, events: ClientEvents) {
    this.#world = world;
    this.namespace = namespace;
    this.#events = events;
  }

  static async create(world: World, mac: string): Promise<Dhclient> {
    return new Dhclient(world, await world.machine(mac), await world.events());
  }

  /**
   * Runs it until it is told something, and ends it without a release. It continues with the leases and the DUID of its last run,
   * unless `reinstalled`. `stateless` asks for no address; `request` names further options.
   */
  async ask({ stateless = false, reinstalled = false, request = [] as readonly string[] } = {}): Promise<Told> {
    const place = join(this.#world.state, `dhclient-${this.namespace}${reinstalled ? '-again' : ''}`);
    const conf = `${place}.conf`;
    await writeFile(conf, request.map((option) => `also request dhcp6.${option};\n`).join(''));
    const files = ['-lf', `${place}.leases`, '-pf', `${place}.pid`, '-cf', conf, '-sf', this.#world.script];
    const duid = reinstalled ? 'LL' : 'LLT';
    this.#child = this.#world.spawn([
      ...isolated(this.namespace),
      ...['dhclient', '-6', ...(stateless ? ['-S'] : []), '-1', '-d', '-D', duid, '-e', `OUT=${this.#events.folder}`],
      ...[...files, 'eth0'],
    ]);
    try {
      return await this.#events.next(`an answer to ${this.namespace}`, ({ reason = '' }) =>
        /^(BOUND|REBOOT|RENEW)6$/.test(reason),
      );
    } finally {
      this.stop();
    }
  }

  stop(): void {
    this.#child?.kill('SIGKILL');
  }
}

/** dhcpcd, which does what the router advertisement says. */
export class Dhcpcd {
  readonly namespace: string;
  readonly events: ClientEvents;
  readonly #world: World;
  #pid = 0;

  private constructor(world: World, namespace: string, events: ClientEvents) {
    this.#world = world;
    this.namespace = namespace;
    this.events = events;
  }

  static async create(world: World, mac: string): Promise<Dhcpcd> {
    return new Dhcpcd(world, await world.machine(mac), await world.events());
  }

  /** Boots, keeps running, and returns the first event with this reason. `more`: further lines of its configuration. */
  async boot(reason: string, more = ''): Promise<Told> {
    const conf = join(this.#world.state, `dhcpcd-${this.namespace}.conf`);
    const wants = 'option dhcp6_name_servers, dhcp6_domain_search\nslaac hwaddr\n';
    await writeFile(
      conf,
      `duid ll\nnoipv4\nnohook resolv.conf, hostname\nenv OUT=${this.events.folder}\n${wants}${more}`,
    );
    const hide = 'mount -t tmpfs none /var/lib/dhcpcd; mount -t tmpfs none /run';
    const start = `${hide}; exec dhcpcd -6 -B -f "$1" -c "$2" eth0`;
    const child = this.#world.spawn([
      ...isolated(this.namespace),
      ...['sh', '-c', start, 'dhcpcd', conf, this.#world.script],
    ]);
    const children = `/proc/${child.pid}/task/${child.pid}/children`;
    this.#pid = await waitFor(
      'dhcpcd to start',
      async () => Number(await readFile(children, 'utf8')) || undefined,
      TIMEOUT_MS,
    );
    return this.next(reason);
  }

  next(reason: string): Promise<Told> {
    return this.events.next(`${reason} of ${this.namespace}`, (told) => told.reason === reason);
  }

  /** Makes it send a Renew, and returns what it was told. */
  renew(): Promise<Told> {
    process.kill(this.#pid, 'SIGUSR1');
    return this.next('RENEW6');
  }

  /** Makes it send a Rebind, which any server may answer, and then a Confirm; returns what it was told. */
  rebind(): Promise<Told> {
    process.kill(this.#pid, 'SIGHUP');
    return this.next('REBOOT6');
  }
}

/** Waits for an address of a machine that begins with a prefix, and returns it. */
export function addressOf(namespace: string, prefix: string): Promise<string> {
  return waitFor(
    `an address of ${namespace}`,
    async () => {
      const { stdout } = await run([
        'ip',
        '-n',
        namespace,
        '-6',
        '-o',
        'addr',
        'show',
        'dev',
        'eth0',
        'scope',
        'global',
      ]);
      return [...stdout.matchAll(/inet6 ([0-9a-f:]+)\//g)]
        .map(([, address = '']) => address)
        .find((one) => one.startsWith(prefix));
    },
    TIMEOUT_MS,
  );
}
