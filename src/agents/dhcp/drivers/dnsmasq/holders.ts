import { isIPv6, SocketAddress } from 'node:net';
import type { Entitlement } from './port-lines.ts';

/** An address in the one form that dnsmasq writes, so that texts can be compared. */
export function addressKey(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}

/** Who may hold which address, by address. Two ports with one address may follow each other in any order. */
export class Holders {
  readonly #byAddress = new Map<string, readonly { readonly portId: string; readonly holder: Entitlement }[]>();

  /** Returns who may hold an address; of several ports, the one added last. */
  of(address: string): Entitlement | undefined {
    return this.#byAddress.get(addressKey(address))?.at(-1)?.holder;
  }

  add(portId: string, entitled: readonly Entitlement[]): void {
    for (const holder of entitled) {
      const key = addressKey(holder.address);
      this.#byAddress.set(key, [...(this.#byAddress.get(key) ?? []), { portId, holder }]);
    }
  }

  delete(portId: string, entitled: readonly Entitlement[]): void {
    for (const { address } of entitled) {
      const key = addressKey(address);
      const others = (this.#byAddress.get(key) ?? []).filter((one) => one.portId !== portId);
      if (others.length > 0) this.#byAddress.set(key, others);
      else this.#byAddress.delete(key);
    }
  }
}
