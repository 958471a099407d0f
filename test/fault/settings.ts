/** What is set from outside: how long the fault tests go on, and with which luck. */
export interface FaultSettings {
  /** Begins every choice of a test that is left to chance. */
  readonly seed: number;
  /** How many faults a test brings about. */
  readonly rounds: number;
  /** Only faults whose names match. */
  readonly only: RegExp;
}

/**
 * NEUTRINO_FAULT_ROUNDS, NEUTRINO_FAULT_SEED and NEUTRINO_FAULT_ONLY, or `fewRounds`, a seed of this moment and all. Throws for a value that is no whole
 * number.
 */
export function faultSettings(fewRounds: number, env: NodeJS.ProcessEnv = process.env): FaultSettings {
  return {
    seed: whole(env, 'NEUTRINO_FAULT_SEED') ?? Math.floor(Math.random() * 1_000_000),
    rounds: whole(env, 'NEUTRINO_FAULT_ROUNDS') ?? fewRounds,
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

/** Tells with which seed a test runs, so that it can be run again with it. */
export function tellSeed(test: string, { seed, rounds }: FaultSettings): void {
  console.log(
    `${test}: ${rounds} rounds; NEUTRINO_FAULT_SEED=${seed} NEUTRINO_FAULT_ROUNDS=${rounds} chooses the same again`,
  );
}
