import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArguments, UsageError } from './arguments.ts';
import type { Report, Section } from './contract.ts';
import { machineFacts } from './machine.ts';
import { reported } from './report.ts';
import { SECTIONS } from './sections.ts';
import { renderTable } from './table.ts';

const HELP = `npm run bench -- [--only NAME,...] [--quick] [--out FILE] [--folder FOLDER]

  --only NAME,...   only these sections: ${SECTIONS.map((s) => s.name).join(', ')}
  --quick           few, short rounds, to check that everything runs
  --out FILE        path of the JSON; default: bench/results/<date>.json
  --folder FOLDER   folder for databases, on the disk to measure; default: the system's temporary folder
`;

async function main(): Promise<number> {
  const wanted = parseArguments(
    process.argv.slice(2),
    SECTIONS.map((s) => s.name),
  );
  if (wanted.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const started = new Date();
  const machine = machineFacts();
  const sections: Report['sections'][number][] = [];
  let failed = false;
  for (const section of SECTIONS.filter((s) => wanted.only.includes(s.name))) {
    try {
      sections.push(await runSection(section, wanted.quick, wanted.folder ?? tmpdir()));
    } catch (error) {
      failed = true;
      const why = error instanceof Error ? error.message : String(error);
      process.stderr.write(`bench: ${section.name} failed: ${error instanceof Error ? error.stack : why}\n`);
      sections.push({ name: section.name, title: section.title, seconds: 0, skipped: why, figures: [], ratios: [] });
    }
  }
  const report: Report = { machine, started_at: started.toISOString(), quick: wanted.quick, sections };
  process.stdout.write(`${renderTable(report)}\n`);
  const out = wanted.out ?? defaultOut(started);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(`\nWritten to ${out}\n`);
  return failed ? 1 : 0;
}

async function runSection(section: Section, quick: boolean, parent: string): Promise<Report['sections'][number]> {
  const why = await section.obstacle?.();
  const nothing = { name: section.name, title: section.title, seconds: 0, figures: [], ratios: [] };
  if (why !== undefined) return { ...nothing, skipped: why };
  const folder = mkdtempSync(join(parent, 'neutrino-bench-'));
  const began = performance.now();
  const seconds = () => Math.round((performance.now() - began) / 1000);
  try {
    const progress = (text: string) => process.stderr.write(`bench: ${section.name}, ${seconds()} s: ${text}\n`);
    const result = await section.run({ quick, folder, progress });
    return reported(section, seconds(), result);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** bench/results/2026-01-31T12-00-00.json */
function defaultOut(started: Date): string {
  const name = `${started.toISOString().slice(0, 19).replaceAll(':', '-')}.json`;
  return join(dirname(fileURLToPath(import.meta.url)), 'results', name);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`bench: ${error.message}\n\n${HELP}`);
  process.exitCode = 2;
}
