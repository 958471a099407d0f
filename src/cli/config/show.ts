import { type ConfigInputs, explainConfig, loadConfig } from '../../config/load.ts';
import type { OptionValue } from '../../config/options.ts';
import type { RunningNeutrino } from '../state/lock.ts';

/**
 * `neutrino config show`: returns every option with its effective value and source, by section. Port and host of the
 * Neutrino that runs on the state path override those that a start would use, unless a flag sets them. Throws ConfigError.
 */
export function showConfig(inputs: ConfigInputs, running?: RunningNeutrino): string {
  const loaded = loadConfig(inputs);
  const inForce = inForceAt(running);
  const rows = explainConfig(loaded).map((row) => {
    const now = row.section === 'DEFAULT' && !row.source.startsWith('--') ? inForce[row.name] : undefined;
    const differs = now !== undefined && now !== String(row.value);
    const source = differs ? `Neutrino that runs on this state path (process ${running?.pid})` : row.source;
    return { ...row, source, assignment: `${row.name} = ${differs ? now : shown(row.value)}` };
  });
  const width = Math.min(60, Math.max(...rows.map((row) => row.assignment.length)));
  const lines = rows.flatMap((row, index) => [
    ...(row.section === rows[index - 1]?.section ? [] : [...(index === 0 ? [] : ['']), `[${row.section}]`]),
    `${row.assignment.padEnd(width)}  ${row.source}`,
  ]);
  const warnings = loaded.warnings.map((warning) => `warning: ${warning}`);
  return `${[...lines, ...(warnings.length > 0 ? ['', ...warnings] : [])].join('\n')}\n`;
}

function inForceAt({ url, host }: Partial<RunningNeutrino> = {}): Readonly<Record<string, string | undefined>> {
  return { bind_port: url && new URL(url).port, host };
}

function shown(value: OptionValue): string {
  const text = typeof value === 'object' ? value.join(',') : String(value);
  // Passwords in URLs must not appear on a screen; transport_url may contain one per host.
  return text.replace(/((?:\w:\/\/|,)[^\s:@/,]*:)[^\s@/,]*@/g, '$1***@');
}
