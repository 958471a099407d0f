import type { Logger } from 'pino';
import type { InNamespace } from '../ip.ts';
import { nativeObstacle } from '../native.ts';
import type { Nftables } from './contract.ts';
import { NftLibrary } from './library.ts';
import { NftProgram } from './program.ts';

/** Opens nftables by its library, or by its program where that cannot be loaded, which the log says. */
export async function openNftables(where: InNamespace, log: Logger): Promise<Nftables> {
  try {
    const obstacle = nativeObstacle();
    if (obstacle !== undefined) throw new Error(obstacle);
    return await NftLibrary.open(where);
  } catch (error) {
    const { message: reason } = error as Error;
    log.info({ reason }, 'libnftables cannot be called; each change of filters runs nft');
    return new NftProgram(where);
  }
}
