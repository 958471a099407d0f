import { LINUX_BRIDGE } from '../../../../../src/agents/l2/drivers/linuxbridge/kind.ts';
import { l2DriverContract } from '../../driver-contract.ts';

l2DriverContract(LINUX_BRIDGE);
