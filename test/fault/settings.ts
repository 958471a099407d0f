/** Settings of the fault tests from the environment: their length and random choices. */
export interface FaultSettings {
  /** Seed of all random choices of a test. */
  readonly seed: number;
  /** Number of faults that a test injects. */
  readonly rounds: number;
  /** Whether the number of rounds was set, which enables the long tests. */
  readonly long: boolean;
  /** Injects only faults with matching names. */
  readonly only: RegExp;
}

/**
 * NEUTRINO_FAULT_ROUNDS, NEUTRINO_FAULT_SEED and NEUTRINO_FAULT_ONLY, or by default `fewRounds`, a seed from the current time,
 * and all faults. Throws for invalid numbers.
 */
export function faultSettings(fewRounds: number, env: NodeJS.ProcessEnv = process.env): FaultSettings {
  return {
    seed: whole(env, 'NEUTRINO_FAULT_SEED') ?? Math.floor(Math.random() * 1_000_000),
    rounds: whole(env, 'NEUTRINO_FAULT_ROUNDS') ?? fewRounds,
    long: env.NEUTRINO_FAULT_ROUNDS !== undefined,
    only: new RegExp(env.NEUTRINO_FAULT_ONLY ?? ''),
  };
}

function whole(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1)
    throw new Error(`${name}=${text}: a whole number from 1 up is right`);
  return Number(text);
}

/** Prints the seed of a test, with which the same choices can be repeated. */
export function printSeed(test: string, { seed, rounds }: FaultSettings): void {
  console.log(
    `${test}: ${rounds} rounds; NEUTRINO_FAULT_SEED=${seed} NEUTRINO_FAULT_ROUNDS=${rounds} chooses the same again`,
  );
}
