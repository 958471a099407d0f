import { type ConfigInputs, explainConfig, loadConfig } from '../../config/load.ts';
import type { OptionValue } from '../../config/options.ts';

/** `neutrino config show`: every option with the value in force and where it comes from, by section. Throws ConfigError. */
export function showConfig(inputs: ConfigInputs): string {
  const loaded = loadConfig(inputs);
  const rows = explainConfig(loaded).map((row) => ({ ...row, assignment: `${row.name} = ${shown(row.value)}` }));
  const width = Math.min(60, Math.max(...rows.map((row) => row.assignment.length)));
  const lines = rows.flatMap((row, index) => [
    ...(row.section === rows[index - 1]?.section ? [] : [...(index === 0 ? [] : ['']), `[${row.section}]`]),
    `${row.assignment.padEnd(width)}  ${row.source}`,
  ]);
  const warnings = loaded.warnings.map((warning) => `warning: ${warning}`);
  return `${[...lines, ...(warnings.length > 0 ? ['', ...warnings] : [])].join('\n')}\n`;
}

function shown(value: OptionValue): string {
  const text = typeof value === 'object' ? value.join(',') : String(value);
  // A password in a URL (transport_url may hold several, one a host) is nobody's business on a screen.
  return text.replace(/((?:\w:\/\/|,)[^\s:@/,]*:)[^\s@/,]*@/g, '$1***@');
}
