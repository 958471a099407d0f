import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '../../../../../src/time/wait.ts';

/** What a client was told, under the client's names; `event` (udhcpc) or `reason` (dhclient, dhcpcd) is what happened. */
export type Told = Readonly<Record<string, string>>;

/** Run by the client at each event: writes all that it was told to a file in `$OUT`. */
export const CLIENT_SCRIPT = `#!/bin/sh
{ echo "event=$1"; env; echo; } > "$OUT/$(date +%s%N)"
case "$1" in
  bound|renew) ip addr replace "$ip/$mask" dev "$interface" ;;
  deconfig) ip addr flush dev "$interface" ;;
esac
exit 0
`;

const TIMEOUT_MS = 20_000;

/** The events of one client, each returned once. */
export class ClientEvents {
  readonly folder: string;
  readonly #seen = new Set<string>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Returns the events since the last call. */
  async fresh(): Promise<readonly Told[]> {
    const names = (await readdir(this.folder)).filter((name) => !this.#seen.has(name)).sort();
    const told: Told[] = [];
    for (const name of names) {
      const text = await readFile(join(this.folder, name), 'utf8');
      // Half written: its last line is empty.
      if (!text.endsWith('\n\n')) break;
      this.#seen.add(name);
      told.push(
        Object.fromEntries(
          text.split('\n').map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]),
        ),
      );
    }
    return told;
  }

  /** Waits for new events, and returns the last of them that fits. `fits` sees each event once. */
  next(what: string, fits: (told: Told) => boolean): Promise<Told> {
    return waitFor(what, async () => (await this.fresh()).filter(fits).at(-1), TIMEOUT_MS);
  }
}
