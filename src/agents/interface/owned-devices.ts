/** Which owner each device of an agent belongs to. */
export class OwnedDevices {
  readonly #owners = new Map<string, string>();
  readonly #devices = new Map<string, Set<string>>();

  /** The owner of a device; undefined for devices of others. */
  ownerOf(name: string): string | undefined {
    return this.#owners.get(name);
  }

  /** The names of an owner's devices. */
  devicesOf(owner: string): readonly string[] {
    return [...(this.#devices.get(owner) ?? [])];
  }

  owners(): readonly string[] {
    return [...this.#devices.keys()];
  }

  /** The names of all devices. */
  names(): Iterable<string> {
    return this.#owners.keys();
  }

  remember(name: string, owner: string): void {
    this.forget(name);
    this.#owners.set(name, owner);
    const names = this.#devices.get(owner) ?? new Set();
    this.#devices.set(owner, names.add(name));
  }

  forget(name: string): void {
    const owner = this.#owners.get(name);
    if (owner === undefined) return;
    this.#owners.delete(name);
    const names = this.#devices.get(owner);
    names?.delete(name);
    if (names?.size === 0) this.#devices.delete(owner);
  }
}
