import type { MonitoredLink } from '../../../../linux/link-monitor.ts';
import { bridgeName } from '../../../../net/device-names.ts';
import { adjustBridge, makeBridge } from './bridge.ts';
import { markOf } from './marks.ts';
import type { WiringStep } from './steps.ts';

/** The steps that bring the bridge of a network to its state, and the bridge if they create it. */
interface BridgeSteps {
  readonly steps: readonly WiringStep[];
  readonly created: readonly string[];
}

/** The bridges of a host. Remembers which ones this process has set up: the link monitor reports them only some time later. */
export class Bridges {
  readonly #links: () => ReadonlyMap<string, MonitoredLink>;
  readonly #mark: string;
  readonly #options: readonly string[];
  /** The MTU that each bridge got. */
  readonly #mtus = new Map<string, number>();

  /** `mark`: the agent's part of the aliases of its devices. `options`: of `ip link ... type bridge`, besides its own. */
  constructor(links: () => ReadonlyMap<string, MonitoredLink>, mark: string, options: readonly string[] = []) {
    this.#links = links;
    this.#mark = mark;
    this.#options = options;
  }

  /** Returns the steps for a network's bridge, none when it is right. The caller MUST run them, or `forget` the bridge. */
  bring(networkId: string, mtu: number): BridgeSteps {
    const bridge = bridgeName(networkId);
    const before = this.#mtus.get(bridge);
    if (before === mtu) return { steps: [], created: [] };
    this.#mtus.set(bridge, mtu);
    const existing = this.#links().get(bridge);
    if (existing) return { steps: adjustBridge(existing, mtu, before === undefined, this.#options), created: [] };
    return {
      steps: makeBridge(bridge, markOf(networkId, this.#mark), mtu, this.#options),
      created: before === undefined ? [bridge] : [],
    };
  }

  /** The bridge is gone, or its steps failed. */
  forget(bridge: string): void {
    this.#mtus.delete(bridge);
  }
}
