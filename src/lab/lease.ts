import type { NicLease, Route } from './contract.ts';

/** Splits a process environment (`NAME=value`, NUL-separated, as in /proc/PID/environ) into names and values. */
export function parseEnvironment(environment: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const variable of environment.split('\0')) {
    const equals = variable.indexOf('=');
    if (equals > 0) variables[variable.slice(0, equals)] = variable.slice(equals + 1);
  }
  return variables;
}

/** Variables of the environment that do not come from the client. */
const INHERITED = new Set(['PATH', 'HOME', 'PWD', 'OLDPWD', 'SHLVL', 'TERM', '_']);

function words(text: string | undefined): string[] {
  return (text ?? '').split(' ').filter((word) => word !== '');
}

function routes(text: string | undefined): Route[] {
  const parts = words(text);
  const found: Route[] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) {
    found.push({ destination: parts[i] ?? '', gateway: parts[i + 1] ?? '' });
  }
  return found;
}

function whole(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : null;
}

/**
 * Parses a lease stored by the client script: the variables that udhcpc passes to its script (busybox,
 * networking/udhcp: `ip`, `subnet`, `mask`, `router`, `staticroutes`, ...). Returns undefined if it contains no lease.
 */
export function parseLease(environment: string, ms: number): NicLease | undefined {
  const variables = parseEnvironment(environment);
  const { event, ip } = variables;
  if (!ip || (event !== 'bound' && event !== 'renew')) return undefined;
  const raw = Object.fromEntries(
    Object.entries(variables).filter(([name]) => !INHERITED.has(name) && !name.startsWith('NEUTRINO_')),
  );
  return {
    event,
    address: ip,
    mask: variables.subnet ?? null,
    prefix: whole(variables.mask),
    broadcast: variables.broadcast ?? null,
    routers: words(variables.router),
    dns: words(variables.dns),
    domain: variables.domain ?? null,
    hostname: variables.hostname ?? null,
    mtu: whole(variables.mtu),
    leaseSeconds: whole(variables.lease),
    server: variables.serverid ?? null,
    staticRoutes: routes(variables.staticroutes),
    msStaticRoutes: routes(variables.msstaticroutes),
    ms,
    raw,
  };
}
