import type { NetworkAnswers, SubnetAnswers } from '../../answers/network.ts';
import type { Refusals } from '../../answers/refusals.ts';
import { address, type Field, glue, id, ipv4, ipv4Cidr, type Line, name, word } from './fields.ts';
import { optionLine } from './port-lines.ts';

/** The tag of a subnet's hosts. */
export const subnetTag = ({ id: subnetId }: SubnetAnswers): Field => glue(word('subnet-'), id(subnetId));

/** Returns the lines of the options file that apply to whole subnets. */
export function renderSubnetOptions({ subnets }: NetworkAnswers, refusals: Refusals): readonly Line[] {
  return subnets.flatMap((subnet) => linesOf(subnet, refusals));
}

function linesOf(subnet: SubnetAnswers, refusals: Refusals): readonly Line[] {
  const { options, version } = subnet;
  if (!options) return [];
  const add = (option: string, make: () => readonly Field[]): readonly Line[] =>
    refusals.keep(`subnet ${subnet.id}`, () => [optionLine(version, subnetTag(subnet), option, make())], []);
  const { dnsServers, domainSearch, routes, router } = options;
  const servers = dnsServers === 'none' ? [] : dnsServers;
  const dns = servers === 'itself' ? [] : add('dns-server', () => servers.map(address));
  if (version === 6) {
    return domainSearch === undefined
      ? dns
      : [...dns, ...add('domain-search', () => [name(domainSearch, 'dns_domain')])];
  }
  const values = () => routes.flatMap(({ destination, nexthop }) => [ipv4Cidr(destination), ipv4(nexthop)]);
  return [
    ...dns,
    ...(routes.length === 0 ? [] : [...add('classless-static-route', values), ...add('249', values)]),
    ...add('router', () => (router === undefined ? [] : [ipv4(router)])),
  ];
}
