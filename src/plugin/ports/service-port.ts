import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { PORT } from '../../resources/port.ts';
import type { WantedFixedIp } from '../../resources/port-types.ts';
import { validateCreate } from '../../resources/validate.ts';
import type { Core } from '../core.ts';
import { createPort } from './create.ts';
import type { PortDocument } from './documents.ts';

/** A port that one of Neutron's services makes for itself. */
export interface ServicePort {
  /** Default: empty. */
  readonly name?: string;
  readonly network_id: string;
  /** Empty: it belongs to no project. */
  readonly project_id: string;
  readonly device_id: string;
  readonly device_owner: string;
  /** Default: allocated from the subnets of the network. */
  readonly fixed_ips?: readonly WantedFixedIp[];
}

/** Creates a port of a service; its quota is not the project's. Throws NeutronError as createPort does. */
export const createServicePort = (
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  port: ServicePort,
): Promise<PortDocument> => createPort(trx, core, allocator, validateCreate(PORT, port, port.project_id));
