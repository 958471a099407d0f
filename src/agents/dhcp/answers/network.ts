import type { Config } from '../../../config/options.ts';
import { DHCP_OWNER, isRouterInterface } from '../../../net/device-owners.ts';
import type { NetworkInfo, PortDocument } from '../../../rpc/documents.ts';
import { routedSubnets, wantsMetadata } from './metadata.ts';
import { type Refusal, Refusals } from './refusals.ts';
import { allSubnets, readSubnet, type ServedSubnet } from './subnet.ts';
import { dhcpAddresses, type SubnetOptions, subnetOptions } from './subnet-options.ts';

/** How one subnet is served. */
export interface SubnetAnswers extends ServedSubnet {
  /** What its hosts get; undefined: nothing. */
  readonly options: SubnetOptions | undefined;
}

/** How a network is served: all that answers to its hosts depend on, but the hosts' own ports. */
export interface NetworkAnswers {
  readonly networkId: string;
  /** Whether any subnet wants DHCP at all. */
  readonly enableDhcp: boolean;
  /** Whether the namespace is to answer for the metadata service. */
  readonly enableMetadata: boolean;
  /** Announced MTU; 0: none. */
  readonly mtu: number;
  readonly leaseSeconds: number | 'infinite';
  /** Options 58 and 59; 0: not sent. */
  readonly renewalSeconds: number;
  readonly rebindingSeconds: number;
  /** Whether answers are broadcast. */
  readonly broadcast: boolean;
  /** Domain of the hosts; empty: none. */
  readonly domain: string;
  readonly subnets: readonly SubnetAnswers[];
  /** Equal for answers under which `portAnswers` returns the same. */
  readonly portKey: string;
  readonly refused: readonly Refusal[];
}

/** Whether a port matters to hosts beyond itself: DHCP ports answer DNS and lead to metadata, routers are gateways. */
export function shapesNetwork({ device_owner }: Pick<PortDocument, 'device_owner'>): boolean {
  return device_owner === DHCP_OWNER || isRouterInterface(device_owner);
}

export interface AnswerOptions {
  /** This agent's own DHCP ports. Default: the addresses of all DHCP ports count as its own. */
  readonly ownPortIds?: readonly string[] | undefined;
  /** Checks the domain; throws Refused for one that the driver cannot announce. Default: any is taken. */
  readonly checkDomain?: (domain: string) => string;
}

/** Decides how a network is served. Of its ports, only those that `shapesNetwork` names are looked at. */
export function networkAnswers(info: NetworkInfo, config: Config, more: AnswerOptions = {}): NetworkAnswers {
  const refusals = new Refusals();
  const { checkDomain = (domain) => domain } = more;
  const wanted = config.DEFAULT.dns_domain;
  const domain = wanted === '' ? '' : refusals.keep('option dns_domain', () => checkDomain(wanted), '');
  const options = { ...config.DEFAULT, dns_domain: domain };
  const subnets = allSubnets(info).flatMap((document) =>
    refusals.keep(`subnet ${document.id}`, () => [readSubnet(document)], []),
  );
  const routed = routedSubnets(info);
  const facts = { ...dhcpAddresses(info, more.ownPortIds), routed };
  const facets = subnets.map((s) => [s.id, s.version, s.enableDhcp, s.document.ipv6_address_mode]);
  return {
    networkId: info.id,
    enableDhcp: subnets.some((subnet) => subnet.enableDhcp),
    enableMetadata: wantsMetadata(info, options, routed),
    mtu: info.mtu,
    leaseSeconds: options.dhcp_lease_duration < 0 ? 'infinite' : options.dhcp_lease_duration,
    renewalSeconds: options.dhcp_renewal_time,
    rebindingSeconds: options.dhcp_rebinding_time,
    broadcast: options.dhcp_broadcast_reply,
    domain,
    subnets: subnets.map((subnet) => ({
      ...subnet,
      options: subnetOptions(subnet, subnets, options, facts, refusals),
    })),
    portKey: JSON.stringify([domain, facets]),
    refused: refusals.list,
  };
}
