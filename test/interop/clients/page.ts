import { CLIENT_RECORDS, type Recorded, recorded } from './results.ts';

const rowOf = ({ client, tests, passed, failing, skipped }: Recorded): string => {
  const skips = skipped.reduce((sum, { count }) => sum + count, 0);
  return `| ${client} | ${tests} | ${passed} | ${failing.length} | ${skips} |`;
};

/** Returns the section of docs/conformance.md about clients, made from their recorded results. */
export function clientsSection(): readonly string[] {
  const records = CLIENT_RECORDS.map(recorded);
  const failing = records.flatMap(({ client, failing }) =>
    failing.map(({ test, why }) => `| ${client.split(' ')[0]} | \`${test}\` | ${why} |`),
  );
  const skipped = records.flatMap(({ client, skipped }) =>
    skipped.map(({ why, count }) => `| ${client.split(' ')[0]} | ${count} | ${why.replaceAll('|', '\\|')} |`),
  );
  return [
    '## Clients',
    '',
    "`npm run test:interop` runs clients from Debian 12's packages against a server with `--auth lab`, and the commands of `openstack` also",
    'with tokens of Keystone. Agents have reported there once, and none is running. tempest runs with `[oslo_policy] enforce_new_defaults =',
    'false`, the default of the Neutron that it belongs to; tests of extensions that the server does not list are skipped. Any other result',
    'than the one below fails.',
    '',
    '| client | tests | pass | fail | skipped |',
    '|---|---|---|---|---|',
    ...records.map(rowOf),
    '',
    '### Tests that do not pass',
    '',
    '| client | test | reason |',
    '|---|---|---|',
    ...failing,
    '',
    '### Skipped tests',
    '',
    "The reasons are the clients' own.",
    '',
    '| client | tests | reason |',
    '|---|---|---|',
    ...skipped,
    '',
    'Generated from `test/fixtures/clients/`, whose numbers `UPDATE_DOCS=1` updates in the same way.',
  ];
}
