import type { InNamespace } from '../../../../linux/ip.ts';
import { NftFailed } from '../../../../linux/nftables/contract.ts';
import { NftProgram } from '../../../../linux/nftables/program.ts';
import { BRIDGE_TABLE, INET_TABLE } from './skeleton.ts';

/** Removes both tables, if they exist, and returns their names. Without nft, there are none. Throws NftFailed. */
export async function removeTables(where: InNamespace): Promise<readonly string[]> {
  const nft = new NftProgram(where);
  const found: string[] = [];
  try {
    for (const table of [BRIDGE_TABLE, INET_TABLE]) if ((await nft.list(table)) !== undefined) found.push(table);
  } catch (error) {
    if (error instanceof NftFailed && error.message.includes('cannot be started')) return [];
    throw error;
  }
  if (found.length > 0) await nft.apply(`${found.map((table) => `delete table ${table}`).join('\n')}\n`);
  return found.map((table) => `nft table ${table}`);
}
