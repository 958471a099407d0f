import { LINUX_BRIDGE } from '../../../../../src/agents/interface/drivers/linuxbridge/kind.ts';
import { interfaceDriverContract } from '../../driver-contract.ts';

interfaceDriverContract(LINUX_BRIDGE);
