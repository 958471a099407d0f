import { existsSync, readFileSync } from 'node:fs';
import { loadConfig } from '../../config/load.ts';
import { ConfigError } from '../../config/parse.ts';
import { configInputs } from '../config/flags.ts';
import { CliFailure } from '../process/failure.ts';
import { dhcpAgentConfig } from '../up/defaults.ts';
import { labOf } from '../vm/lab.ts';
import type { LabOptions } from '../vm/options.ts';
import { networkOfApi } from './network-of-api.ts';
import { type RenderedDhcp, renderDhcp, renderDocument } from './render.ts';

export interface RenderOptions extends LabOptions {
  readonly option: readonly string[];
}

const warn = (omitted: string): void => void process.stderr.write(`neutrino: omitted: ${omitted}\n`);

/**
 * `neutrino dhcp render`: prints the rendered network as JSON on standard output, and omitted values on standard error. `source`
 * is a file, `-` for standard input, or the name or id of a network of the running Neutrino.
 */
export async function printRenderedDhcp(source: string, options: RenderOptions): Promise<void> {
  const isFile = source === '-' || /\/|\.json$/.test(source) || existsSync(source);
  const rendered = isFile ? renderFile(source, options) : await renderOfApi(source, options);
  process.stdout.write(`${JSON.stringify(rendered, null, 2)}\n`);
}

function renderFile(file: string, { option }: RenderOptions): RenderedDhcp {
  return explained(file, () => renderDhcp(readFileSync(file === '-' ? 0 : file, 'utf8'), option, warn));
}

async function renderOfApi(idOrName: string, options: RenderOptions): Promise<RenderedDhcp> {
  const config = await dhcpAgentConfig(loadConfig(configInputs(options)));
  const { neutron, host } = await labOf(options, () => undefined);
  const { document, ownPortId } = await networkOfApi(neutron, idOrName, host);
  return explained(idOrName, () => renderDocument(document, { config, options: options.option, warn, ownPortId }));
}

function explained<T>(source: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ConfigError || !(error instanceof Error)) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw new CliFailure(`${source}: ${code === 'ENOENT' ? 'no such file' : error.message}`);
  }
}
