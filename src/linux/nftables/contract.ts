/** A script that nft rejected; the message has its reason. Nothing of the script has been done. */
export class NftFailed extends Error {
  constructor(reason: string) {
    super(`nft: ${reason.trim().slice(0, 2_000) || 'failed without a reason'}`);
    this.name = 'NftFailed';
  }
}

/** nftables (nft(8)) of one network namespace. */
export interface Nftables {
  /** Runs a script as one transaction: all of it, or nothing. Throws NftFailed. */
  apply(script: string): Promise<void>;
  /** Returns a table (`bridge name`) in nft's own syntax, without counters; undefined if it does not exist. */
  list(table: string): Promise<string | undefined>;
  close(): Promise<void>;
}
