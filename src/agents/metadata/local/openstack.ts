import { randomBytes } from 'node:crypto';
import { AVAILABILITY_ZONE, type Machine } from './machine.ts';
import { networkData } from './network-data.ts';

/** Versions of the OpenStack metadata API, as Nova lists them. */
const OPENSTACK_VERSIONS = [
  '2012-08-10',
  '2013-04-04',
  '2013-10-17',
  '2015-10-15',
  '2016-06-30',
  '2016-10-06',
  '2017-02-22',
  '2018-08-27',
  '2020-10-14',
] as const;
type OpenStackVersion = (typeof OPENSTACK_VERSIONS)[number];

/** A version of the API. */
interface Served {
  /** Whether it has what came with another version. */
  has(since: OpenStackVersion): boolean;
}

/** What a path answers: a document, or the password that machines also set. */
export type OpenStackAnswer = { readonly type: string; readonly body: string | Buffer } | 'password';

export const TEXT = 'text/plain; charset=UTF-8';
const JSON_TYPE = 'application/json';

/** Returns the versions, as listed at `/openstack`. */
export const openStackVersions = (): string => [...OPENSTACK_VERSIONS, 'latest'].join('\n');

function metaData({ id, project, name, hostname, keys }: Machine, served: Served): Readonly<Record<string, unknown>> {
  return {
    uuid: id,
    ...(keys.length > 0
      ? {
          public_keys: Object.fromEntries(keys),
          keys: keys.map(([key, data]) => ({ name: key, type: 'ssh', data })),
        }
      : {}),
    hostname,
    name,
    launch_index: 0,
    availability_zone: AVAILABILITY_ZONE,
    ...(served.has('2013-04-04') ? { random_seed: randomBytes(512).toString('base64') } : {}),
    ...(served.has('2015-10-15') ? { project_id: project } : {}),
    ...(served.has('2016-06-30') ? { devices: [] } : {}),
    ...(served.has('2020-10-14') ? { dedicated_cpus: [] } : {}),
  };
}

/** A document of the API. */
interface Document {
  readonly since: OpenStackVersion;
  /** Whether the listing of a version names it, although every version serves it; default: since `since`. */
  readonly listedSince?: OpenStackVersion;
  /** Returns undefined if this machine has none. */
  answer(machine: Machine, served: Served): OpenStackAnswer | undefined;
}

const json = (value: unknown, type = JSON_TYPE): OpenStackAnswer => ({ type, body: JSON.stringify(value) });

/** In the order of listings. */
const DOCUMENTS: Readonly<Record<string, Document>> = {
  'meta_data.json': { since: '2012-08-10', answer: (machine, served) => json(metaData(machine, served)) },
  user_data: { since: '2012-08-10', answer: ({ userData }) => userData && { type: TEXT, body: userData } },
  password: { since: '2013-04-04', answer: () => 'password' },
  'vendor_data.json': { since: '2013-10-17', answer: () => json({}) },
  'network_data.json': {
    since: '2012-08-10',
    listedSince: '2015-10-15',
    // As in Nova, not the type of JSON.
    answer: ({ document }) => json(networkData(document), TEXT),
  },
  'vendor_data2.json': { since: '2016-10-06', answer: () => json({ static: {} }) },
};

/** Returns what the OpenStack API has at a path below `/openstack`; undefined: nothing. */
export function openStackAnswer(
  machine: Machine,
  [named = '', ...path]: readonly string[],
): OpenStackAnswer | undefined {
  const version = named === 'latest' ? OPENSTACK_VERSIONS.at(-1) : OPENSTACK_VERSIONS.find((one) => one === named);
  if (version === undefined) return undefined;
  const served: Served = { has: (since) => OPENSTACK_VERSIONS.indexOf(version) >= OPENSTACK_VERSIONS.indexOf(since) };
  const found = (name: string): OpenStackAnswer | undefined => {
    const document = Object.hasOwn(DOCUMENTS, name) ? DOCUMENTS[name] : undefined;
    return document && served.has(document.since) ? document.answer(machine, served) : undefined;
  };
  if (path.length > 0) return found(path.join('/'));
  const names = Object.entries(DOCUMENTS).filter(
    ([name, { since, listedSince = since }]) => served.has(listedSince) && found(name) !== undefined,
  );
  return { type: TEXT, body: names.map(([name]) => name).join('\n') };
}
