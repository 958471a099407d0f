import type { Refusal } from '../../answers/refusals.ts';
import { fileText } from './fields.ts';
import type { Entitlement, PortLines } from './port-lines.ts';

/** Ports of a block; a full one is split. A changed port costs the texts of its block, and one step for each other block. */
const MAX_PORTS = 128;

/** What the ports of a block add to the files. */
interface BlockTexts {
  readonly host: string;
  readonly addnHosts: string;
  readonly opts: string;
  readonly hasTags: boolean;
  readonly entitled: readonly Entitlement[];
  readonly refused: readonly Refusal[];
}

/** Texts of the files that dnsmasq reads, in pieces: a piece that has not changed is the same string. */
export interface FileTexts {
  readonly host: readonly string[];
  readonly addnHosts: readonly string[];
  readonly opts: readonly string[];
  /** Whether any host has a tag of its own. */
  readonly hasTags: boolean;
}

/** What all ports add to the files. */
interface AllTexts extends FileTexts {
  /** By block. */
  readonly entitled: readonly (readonly Entitlement[])[];
  readonly refused: readonly Refusal[];
}

/** In a line of the host file: the host has a tag. */
export const TAGGED = ',set:';

interface Block {
  /** Ids of ports, in the order of their lines. */
  readonly ids: string[];
  /** Undefined: a port has changed. */
  texts: BlockTexts | undefined;
}

/**
 * The order of a network's ports, in blocks whose texts are kept until one of their ports changes. `add`, `delete` and `changed`
 * need an ascending order.
 */
export class PortBlocks {
  readonly #linesOf: (id: string) => PortLines | undefined;
  #blocks: Block[] = [];

  constructor(linesOf: (id: string) => PortLines | undefined) {
    this.#linesOf = linesOf;
  }

  /** Sets the order of all ports. */
  reset(ids: readonly string[]): void {
    this.#blocks = [];
    for (let from = 0; from < ids.length; from += MAX_PORTS)
      this.#blocks.push({ ids: ids.slice(from, from + MAX_PORTS), texts: undefined });
  }

  /** Adds a port that is not in the order. */
  add(id: string): void {
    const block = this.#blocks[this.#indexOf(id)];
    if (!block) {
      this.reset([id]);
      return;
    }
    block.ids.splice(position(block.ids, id), 0, id);
    block.texts = undefined;
    if (block.ids.length <= MAX_PORTS) return;
    const upper = { ids: block.ids.splice(MAX_PORTS / 2), texts: undefined };
    this.#blocks.splice(this.#blocks.indexOf(block) + 1, 0, upper);
  }

  /** Deletes a port of the order. */
  delete(id: string): void {
    const index = this.#indexOf(id);
    const block = this.#blocks[index];
    if (!block) return;
    block.ids.splice(position(block.ids, id), 1);
    block.texts = undefined;
    if (block.ids.length === 0) this.#blocks.splice(index, 1);
  }

  /** Drops the texts of the block of a port whose lines have changed. */
  changed(id: string): void {
    const block = this.#blocks[this.#indexOf(id)];
    if (block) block.texts = undefined;
  }

  /** Returns what all ports add to the files, in their order. */
  texts(): AllTexts {
    const all = this.#blocks.map((block) => {
      block.texts ??= this.#textsOf(block.ids);
      return block.texts;
    });
    return {
      host: all.map(({ host }) => host),
      addnHosts: all.map(({ addnHosts }) => addnHosts),
      opts: all.map(({ opts }) => opts),
      hasTags: all.some(({ hasTags }) => hasTags),
      entitled: all.map(({ entitled }) => entitled),
      refused: all.flatMap(({ refused }) => refused),
    };
  }

  #textsOf(ids: readonly string[]): BlockTexts {
    const lines = ids.map(this.#linesOf).filter((one) => one !== undefined);
    const host = fileText(lines.flatMap((one) => one.host));
    return {
      host,
      hasTags: host.includes(TAGGED),
      addnHosts: fileText(lines.flatMap(({ addnHosts }) => addnHosts)),
      opts: fileText(lines.flatMap(({ opts }) => opts)),
      entitled: lines.flatMap(({ entitled }) => entitled),
      refused: lines.flatMap(({ refused }) => refused),
    };
  }

  /** Returns the index of the block that has an id, or would have it: the last one that does not begin after it. */
  #indexOf(id: string): number {
    const after = lowerBound(this.#blocks.length, (index) => (this.#blocks[index]?.ids[0] ?? '') <= id);
    return Math.max(0, after - 1);
  }
}

const position = (ids: readonly string[], id: string): number =>
  lowerBound(ids.length, (index) => (ids[index] ?? '') < id);

/** Returns the first of `length` indexes that is not before; those that are come first. */
function lowerBound(length: number, isBefore: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
