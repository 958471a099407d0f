import { describe, expect, test } from 'vitest';
import type { ApiFacts, ApiPort } from '../agreement/facts.ts';
import { Ledger } from './ledger.ts';

const port = (name: string, more: Partial<ApiPort> = {}): ApiPort => ({
  id: `id of ${name}`,
  name,
  description: '',
  revision_number: 1,
  network_id: 'net',
  mac_address: 'fa:16:3e:00:00:01',
  admin_state_up: true,
  status: 'DOWN',
  device_id: '',
  device_owner: '',
  fixed_ips: [],
  ...more,
});
const shows = (...ports: readonly ApiPort[]): ApiFacts => ({ networks: [], subnets: [], ports });

describe('the ledger of responses', () => {
  test('reports every deviation of the API from a response', () => {
    const ledger = new Ledger();
    ledger.answered('port', 'a', { ...port('a', { description: 'new' }) });
    ledger.answered('port', 'b', 'absent');
    expect(ledger.undone(shows(port('a', { description: 'new', status: 'ACTIVE' })))).toEqual([]);
    expect(ledger.undone(shows(port('a', { description: 'old' }), port('b')))).toEqual([
      'port a: description is "old", "new" was answered',
      'port b: it is there',
    ]);
    expect(ledger.undone(shows())).toEqual(['port a: it is gone']);
    expect(ledger.undone(shows(port('a', { description: 'new' }), port('a', { description: 'new' })))).toEqual([
      'port a is there 2 times',
    ]);
  });

  test('accepts either outcome of an unanswered request, and no other', () => {
    const ledger = new Ledger();
    ledger.answered('port', 'a', { description: 'old' });
    ledger.unanswered('port', 'a', { description: 'new' });
    ledger.unanswered('port', 'b', { description: 'made' });
    for (const description of ['old', 'new']) expect(ledger.undone(shows(port('a', { description })))).toEqual([]);
    expect(ledger.undone(shows(port('a', { description: 'other' }), port('b', { description: 'made' })))).toEqual([
      'port a: description is "other", "old" was answered; or description is "other", "new" was answered',
    ]);
  });

  test('treats the outcome as final once it has been read', () => {
    const ledger = new Ledger();
    ledger.unanswered('port', 'a', { description: 'made' });
    expect(ledger.isOpen('a')).toBe(true);
    expect([...ledger.settle(shows(port('a', { description: 'made' }))).keys()]).toEqual(['a']);
    expect(ledger.isOpen('a')).toBe(false);
    expect(ledger.undone(shows())).toEqual(['port a: it is gone']);
  });

  test('deletes the subnets of a deleted network', () => {
    const ledger = new Ledger();
    ledger.answered('subnet', 'a', { network_id: 'net' });
    ledger.unanswered('subnet', 'b', { network_id: 'net' });
    ledger.answered('subnet', 'c', { network_id: 'other' });
    ledger.answered('port', 'd', { network_id: 'net' });
    expect(ledger.subnetsOf('net')).toEqual(['a', 'b']);
  });

  test('ignores the order of lists', () => {
    const ips = ['10.0.0.1', '10.0.0.2'].map((ip_address) => ({ subnet_id: 's', ip_address }));
    const ledger = new Ledger();
    ledger.answered('port', 'a', { fixed_ips: ips });
    expect(ledger.undone(shows(port('a', { fixed_ips: ips.toReversed() })))).toEqual([]);
  });
});
