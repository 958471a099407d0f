import { addressBits, formatCidr, formatIp } from '../../../../net/addresses.ts';
import type { RemoteGroup } from '../../groups.ts';
import { remoteSet } from './names.ts';
import { checkedPrefix, InvalidPort, outermost } from './port-elements.ts';

const KINDS = ['hosts', 'prefixes'] as const;
const VERSIONS = [4, 6] as const;

/** The four sets of a group that rules name: their type and elements. Single addresses are apart, where a lookup costs less. */
export interface RemoteSets {
  readonly sets: readonly { readonly name: string; readonly type: string; readonly elements: readonly string[] }[];
  /** Members that are neither addresses nor prefixes. */
  readonly unknown: readonly string[];
}

export function remoteSets({ id, members }: RemoteGroup): RemoteSets {
  const unknown: string[] = [];
  const cidrs = members.flatMap((member) => {
    try {
      return [checkedPrefix(member)];
    } catch (error) {
      if (!(error instanceof InvalidPort)) throw error;
      unknown.push(member);
      return [];
    }
  });
  const sets = VERSIONS.flatMap((version) =>
    KINDS.map((kind) => {
      const isHost = kind === 'hosts';
      const own = cidrs.filter(
        (cidr) => cidr.version === version && (cidr.prefixLength === addressBits(version)) === isHost,
      );
      const elements = isHost
        ? [...new Set(own.map(({ first }) => formatIp(version, first)))]
        : outermost(own).map((cidr) => formatCidr(cidr));
      const flags = isHost ? '' : ' flags interval;';
      return { name: remoteSet(id, version, kind), type: `{ type ipv${version}_addr;${flags} }`, elements };
    }),
  );
  return { sets, unknown };
}
