import { dhcpDriverKind } from '../../agents/dhcp/drivers/registry.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/options.ts';
import type { Lab } from '../../lab/boot.ts';
import type { Say } from '../../lab/debian.ts';
import type { Scenario } from '../../lab/demo.ts';
import { LabFailure } from '../../lab/failure.ts';
import { instanceStore } from '../../lab/instance.ts';
import { neutronAt } from '../../lab/neutron.ts';
import { configInputs } from '../config/flags.ts';
import { UsageFailure } from '../process/failure.ts';
import { hostOfStatePath } from '../state/host.ts';
import { runningNeutrino } from '../state/lock.ts';
import { loginOf } from './login.ts';
import type { LabOptions } from './options.ts';

/** Returns the configured URL of the API for a client on this host. */
function configuredUrl({ bind_host: host, bind_port: port }: Config['DEFAULT']): string {
  const reachable =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return `http://${reachable}:${port}`;
}

/** Builds the environment of the lab; `say` receives progress. Host and URL are those of the Neutrino on the state path. */
export async function labOf(options: LabOptions, say: Say): Promise<Lab & Pick<Scenario, 'hostsFile'>> {
  const { config, sources } = loadConfig(configInputs(options));
  const { state_path: statePath } = config.DEFAULT;
  const running = await runningNeutrino(statePath);
  const [url, origin] = options.url
    ? [options.url, 'from --url']
    : running?.url
      ? [running.url, `where the Neutrino of state path ${statePath} runs, process ${running.pid}`]
      : [configuredUrl(config.DEFAULT), `as configured, because no Neutrino runs on state path ${statePath}`];
  if (!/^https?:\/\/[^/]/.test(url))
    throw new UsageFailure(`--url ${url}: must be a URL such as http://127.0.0.1:9696`);
  const driver = dhcpDriverKind(config);
  const isNamed = sources.get('DEFAULT.host')?.kind !== 'default';
  return {
    neutron: neutronAt(url, origin, loginOf({ url, statePath, isOwn: url === running?.url }, process.env)),
    store: instanceStore(statePath),
    host: isNamed ? config.DEFAULT.host : (running?.host ?? hostOfStatePath(statePath) ?? config.DEFAULT.host),
    exchangeLog: { file: (networkId) => driver.exchangeLog(config, networkId), parse: driver.parseExchange },
    hostsFile: (networkId) => driver.hostsFile(config, networkId),
    say,
  };
}

/** Converts an option in whole seconds to milliseconds. Throws UsageFailure. */
export function seconds(option: string, text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1)
    throw new UsageFailure(`${option} ${text}: must be whole seconds from 1 to 99999`);
  return Number(text) * 1_000;
}

/** Returns a signal that the first SIGINT or SIGTERM aborts; a second one ends the process as usual. */
export function abortOnSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => controller.abort(new LabFailure(`stopped by ${signal}`)));
  }
  return controller.signal;
}
