import { readFileSync } from 'node:fs';
import { controlSocket, NativeProxies } from '../../../../src/agents/dhcp/metadata/native/native-proxies.ts';
import { nativeObstacle } from '../../../../src/linux/native.ts';
import { describeProxies } from './proxies-contract.ts';

describeProxies({
  name: 'one process for all networks',
  obstacle: process.getuid?.() !== 0 ? 'needs root' : nativeObstacle(),
  create: (parts) => new NativeProxies(parts),
  pid: ({ DEFAULT }) => Number(readFileSync(`${controlSocket(DEFAULT)}.pid`, 'utf8')),
});
