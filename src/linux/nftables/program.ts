import { checkNamespaceName, type InNamespace } from '../ip.ts';
import { CommandFailed, run } from '../run.ts';
import { type Nftables, NftFailed } from './contract.ts';

const TIMEOUT_MS = 30_000;
const MISSING = /No such file or directory/;

/** Runs the program nft, a process for each script. */
export class NftProgram implements Nftables {
  readonly #command: readonly [string, ...string[]];

  constructor({ namespace }: InNamespace) {
    this.#command = namespace === undefined ? ['nft'] : ['ip', 'netns', 'exec', checkNamespaceName(namespace), 'nft'];
  }

  async apply(script: string): Promise<void> {
    await this.#run(['-f', '-'], script);
  }

  async list(table: string): Promise<string | undefined> {
    try {
      return await this.#run(['-s', 'list', 'table', ...table.split(' ')]);
    } catch (error) {
      if (error instanceof NftFailed && MISSING.test(error.message)) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {}

  async #run(words: readonly string[], input = ''): Promise<string> {
    try {
      return (await run([...this.#command, ...words], { input, timeoutMs: TIMEOUT_MS })).stdout;
    } catch (error) {
      if (error instanceof CommandFailed) throw new NftFailed(error.stderr || error.message);
      throw error;
    }
  }
}
