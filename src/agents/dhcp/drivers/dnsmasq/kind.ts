import type { DhcpDriverKind } from '../kind.ts';
import { filesOf } from './command-line.ts';
import { createDnsmasqDriver } from './driver.ts';
import { parseExchangeLine } from './exchange-line.ts';
import { renderDocument } from './render-document.ts';
import { examineDnsmasq } from './version.ts';

/** dnsmasq, one process for each network. */
export const DNSMASQ: DhcpDriverKind = {
  name: 'dnsmasq',
  programs: { dnsmasq: 'dnsmasq-base' },
  examine: examineDnsmasq,
  create: createDnsmasqDriver,
  exchangeLog: (config, networkId) => filesOf(networkId, config.DEFAULT).log,
  parseExchange: parseExchangeLine,
  hostsFile: (config, networkId) => filesOf(networkId, config.DEFAULT).host,
  render: renderDocument,
};
