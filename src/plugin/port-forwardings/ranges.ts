import { neutronError } from '../../resources/errors.ts';

/** Ports, both ends included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** The ports of a request: a port, a range `first:last`, or both if they are equal. */
export interface WantedPorts {
  readonly port?: number | null | undefined;
  readonly range?: string | null | undefined;
}

export const badForwarding = (reason: string) => neutronError('BadRequest', { resource: 'port_forwarding', reason });

export const rangeText = ({ first, last }: PortRange): string => `${first}:${last}`;

/** Parses a validated range. */
export function parseRange(text: string): PortRange {
  const [first = 0, last = first] = text.split(':').map(Number);
  return { first, last };
}

/** Returns the ports of a request; default: `present`. Throws BadRequest. `side`: internal or external. */
export function wantedRange(side: string, { port, range }: WantedPorts, present?: PortRange): PortRange {
  const one = typeof port === 'number' ? { first: port, last: port } : undefined;
  const several = typeof range === 'string' ? parseRange(range) : undefined;
  if (one && several && rangeText(one) !== rangeText(several))
    throw badForwarding(`${side}_port ${port} and ${side}_port_range ${range} contradict each other`);
  const wanted = several ?? one ?? present;
  if (!wanted) throw badForwarding(`${side}_port or ${side}_port_range is required`);
  return wanted;
}

const size = ({ first, last }: PortRange): number => last - first;

/** Throws BadRequest unless all external ports lead to one internal port, or each to one of its own. */
export function checkRelation(internal: PortRange, external: PortRange): void {
  if (size(internal) > 0 && size(internal) !== size(external))
    throw badForwarding('the internal port range must have one port, or as many as the external range');
}
