/** What is set from outside: how long the fault tests go on, and with which luck. */
export interface FaultSettings {
  /** Begins every choice of a test that is left to chance. */
  readonly seed: number;
  /** How many faults a test brings about. */
  readonly rounds: number;
  /** Whether the number of rounds was set: tests that take long run then. */
  readonly long: boolean;
  /** Only faults whose names match. */
  readonly only: RegExp;
}

/**
 * NEUTRINO_FAULT_ROUNDS, NEUTRINO_FAULT_SEED and NEUTRINO_FAULT_ONLY, or `fewRounds`, a seed of this moment and all. Throws for
 * a number that is none.
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

/** Prints the seed of a test, to run it again with the same choices. */
export function printSeed(test: string, { seed, rounds }: FaultSettings): void {
  console.log(
    `${test}: ${rounds} rounds; NEUTRINO_FAULT_SEED=${seed} NEUTRINO_FAULT_ROUNDS=${rounds} chooses the same again`,
  );
}
