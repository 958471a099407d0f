import type { Config } from '../../../../config/options.ts';
import type { NetworkInfo, PortDocument } from '../../../../rpc/documents.ts';
import { domainOf, renderCommandLine } from './command-line.ts';
import { fileText, type Line } from './fields.ts';
import { wantsMetadata } from './metadata.ts';
import { type Entitlement, type PortLines, portContext, renderPort } from './port-lines.ts';
import { type Refusal, Refusals } from './refusals.ts';
import { portFacts, renderSubnetOptions } from './subnet-options.ts';
import { readSubnets } from './subnets.ts';

/** All that a network's document means for dnsmasq. */
export interface RenderedNetwork {
  /** Texts of the files of these names. */
  readonly host: string;
  readonly addnHosts: string;
  readonly opts: string;
  /** Who may hold which address; whoever else holds one has to let go of it. */
  readonly entitled: readonly Entitlement[];
  /** The arguments, the program first. */
  readonly commandLine: readonly string[];
  /** Whether any subnet wants DHCP at all. */
  readonly enableDhcp: boolean;
  /** Whether the namespace is to answer for the metadata service. */
  readonly enableMetadata: boolean;
  /** Values left out since they cannot be told to dnsmasq. */
  readonly refused: readonly Refusal[];
}

/**
 * Lines made before, by the document they were made of: a caller that keeps the documents of unchanged ports and passes the
 * same cache pays for the changed ports alone.
 */
export type PortLineCache = WeakMap<PortDocument, { readonly key: string; readonly lines: PortLines }>;

export interface RenderOptions {
  /** This agent's own DHCP port; without it the addresses of all DHCP ports count as its own. */
  readonly ownPortId?: string;
  readonly cache?: PortLineCache;
}

/** Renders a network. Throws Refused only for a network id that cannot be a folder's name. */
export function renderNetwork(info: NetworkInfo, config: Config, more: RenderOptions = {}): RenderedNetwork {
  const options = config.DEFAULT;
  const refusals = new Refusals();
  const subnets = readSubnets(info, refusals);
  const domain = options.dns_domain === '' ? '' : domainOf(options, refusals);
  const context = portContext(subnets, domain, options.dnsmasq_enable_addr6_list);
  const { cache } = more;

  const host: Line[] = [];
  const addnHosts: Line[] = [];
  const portOpts: Line[] = [];
  const entitled: Entitlement[] = [];
  for (const port of info.ports) {
    const known = cache?.get(port);
    const lines = known?.key === context.key ? known.lines : renderPort(port, context);
    if (lines !== known?.lines) cache?.set(port, { key: context.key, lines });
    host.push(...lines.host);
    addnHosts.push(...lines.addnHosts);
    portOpts.push(...lines.opts);
    entitled.push(...lines.entitled);
    refusals.list.push(...lines.refused);
  }
  const facts = portFacts(info, more.ownPortId);
  const named = { ...options, dns_domain: domain };
  const subnetOpts = renderSubnetOptions(info, subnets, named, facts, refusals);
  return {
    host: fileText(host),
    addnHosts: fileText(addnHosts),
    opts: fileText([...subnetOpts, ...portOpts]),
    entitled,
    commandLine: renderCommandLine(info, subnets, named, refusals),
    enableDhcp: subnets.some((subnet) => subnet.enableDhcp),
    enableMetadata: wantsMetadata(info, options),
    refused: refusals.list,
  };
}

/**
 * The text of a lease file that dnsmasq takes for its own: `expiry MAC address hostname client-id`, a `*` for what is not
 * known (dnsmasq's lease.c). IPv4 only, as in Neutron: a DHCPv6 lease cannot be made up without the client's DUID.
 *
 * @param expires moment of expiry, seconds of Unix time; 0 means never.
 */
export function renderLeases(entitled: readonly Entitlement[], expires: number): string {
  return entitled
    .filter(({ version }) => version === 4)
    .map(({ mac, address }) => `${expires} ${mac} ${address} * *\n`)
    .join('');
}
