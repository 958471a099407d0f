import type { Queries } from '../db/database.ts';
import type { Core } from '../plugin/core.ts';
import { storePassword } from '../plugin/machines/stored.ts';
import { portDocuments } from '../plugin/ports/documents.ts';
import { subnetDocuments } from '../plugin/subnets/documents.ts';
import { MACHINE } from '../resources/machine.ts';
import type { Handlers } from '../rpc/topic.ts';
import type { MachineDocument, MachineNetwork, MetadataMethods } from '../rpc/topics/metadata.ts';
import { groupBy, loadInOrder } from '../store/listing.ts';
import { selectPlain } from '../store/select.ts';
import { projectArgument, secretArgument, textArgument } from './arguments.ts';

/** More NICs than a machine has; device ids are chosen freely. */
const MAX_PORTS = 128;

type Methods = Pick<Handlers<MetadataMethods>, 'get_machine' | 'set_machine_password'>;

interface Owned {
  readonly device: string;
  readonly project: string;
}

async function portIds(db: Queries, { device, project }: Owned): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('ports')
    .select('id')
    .where('device_id', '=', device)
    .where('project_id', '=', project)
    .orderBy('standard_attr_id')
    .limit(MAX_PORTS)
    .execute();
  return rows.map(({ id }) => id);
}

async function networksOf(
  db: Queries,
  ids: readonly string[],
  subnetIds: readonly string[],
): Promise<readonly MachineNetwork[]> {
  const subnets = await loadInOrder(subnetIds, (some) => subnetDocuments(db, some));
  const byNetwork = groupBy(subnets, ({ network_id }) => network_id);
  const rows = await db
    .selectFrom('networks')
    .select(['id', 'mtu'])
    .where('id', 'in', [...ids])
    .execute();
  return rows.map(({ id, mtu }) => ({ id, mtu, subnets: byNetwork.get(id) ?? [] }));
}

async function groupNames(db: Queries, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('securitygroups')
    .select('name')
    .where('id', 'in', [...ids])
    .execute();
  return [...new Set(rows.map(({ name }) => name))].sort();
}

async function floatingIpsOf(db: Queries, ports: readonly string[]): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('floatingips')
    .select('floating_ip_address')
    .where('fixed_port_id', 'in', [...ports])
    .orderBy('standard_attr_id')
    .execute();
  return rows.map((row) => row.floating_ip_address);
}

async function storedOf(db: Queries, { device, project }: Owned) {
  const row = await db
    .selectFrom('machines')
    .select('id')
    .where('device_id', '=', device)
    .where('project_id', '=', project)
    .executeTakeFirst();
  return row && (await selectPlain(db, MACHINE, [row.id]))[0]?.shown;
}

const unique = (values: readonly string[]): readonly string[] => [...new Set(values)];

async function machineDocument({ db, config }: Core, owned: Owned): Promise<MachineDocument | null> {
  const queries = db.kysely;
  const ids = await portIds(queries, owned);
  const ports = await loadInOrder(ids, (some) => portDocuments(queries, config, some));
  if (ports.length === 0) return null;
  const networks = unique(ports.map(({ network_id }) => network_id));
  const subnets = unique(ports.flatMap(({ fixed_ips }) => fixed_ips.map(({ subnet_id }) => subnet_id)));
  const stored = await storedOf(queries, owned);
  return {
    ports,
    networks: await networksOf(queries, networks, subnets),
    security_groups: await groupNames(queries, unique(ports.flatMap(({ security_groups }) => security_groups))),
    floating_ips: await floatingIpsOf(queries, ids),
    name: stored?.name ?? null,
    user_data: stored?.user_data ?? null,
    public_keys: stored?.public_keys ?? {},
    password: stored?.password ?? null,
  };
}

/** The methods for metadata agents that answer machines themselves. They throw NeutronError for malformed arguments. */
export function machineMethods(core: Core): Methods {
  const ownedOf = (args: object): Owned => ({
    device: textArgument(args, 'device_id'),
    project: projectArgument(args, 'project_id'),
  });
  return {
    get_machine: (args) => machineDocument(core, ownedOf(args)),
    set_machine_password(args) {
      const { device, project } = ownedOf(args);
      const password = secretArgument(args, 'password', 1_020);
      return core.db.transaction((trx) => storePassword(trx, core, device, project, password));
    },
  };
}
