import { NOOP } from '../../../../src/agents/firewall/drivers/noop/kind.ts';
import { firewallContract } from '../firewall-contract.ts';

firewallContract(NOOP);
