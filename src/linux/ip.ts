import { CommandFailed, run } from './run.ts';

/** Where a command acts: a named network namespace below /run/netns, or the caller's own without one. */
export interface InNamespace {
  readonly namespace?: string;
}

/** One `ip` command as words, without the `ip`: `['link', 'set', 'lo', 'up']`. */
export type IpCommand = readonly string[];

/** A step of a batch that failed; `step` is the command, `reason` what `ip` printed about it. */
export class IpFailed extends Error {
  readonly step: IpCommand;
  readonly reason: string;

  constructor(step: IpCommand, reason: string, { namespace }: InNamespace = {}) {
    super(`ip ${step.join(' ')}${namespace === undefined ? '' : ` (namespace ${namespace})`}: ${reason || 'failed'}`);
    this.name = 'IpFailed';
    this.step = step;
    this.reason = reason;
  }
}

/** Whether `ip` failed because what it was to act on does not exist (device, address, route, namespace). */
export function isNotFound(error: unknown): boolean {
  return (
    error instanceof IpFailed &&
    /Cannot find device|does not exist|No such (device|process|file or directory)|Cannot assign requested address|Cannot open network namespace/.test(
      error.reason,
    )
  );
}

/** Whether `ip` failed because what it was to create exists already. */
export function isAlreadyThere(error: unknown): boolean {
  return error instanceof IpFailed && /File exists/.test(error.reason);
}

/** Where iproute2 mounts named namespaces (ip-netns(8)). */
export const NETNS_FOLDER = '/run/netns';

/** Returns the path of a named namespace, as nsenter(1) takes it. */
export function namespacePath(name: string): string {
  return `${NETNS_FOLDER}/${checkNamespaceName(name)}`;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;

/** Returns the name. Throws when no namespace can have it (it becomes a path and a word of a batch). */
export function checkNamespaceName(name: string): string {
  if (!NAME.test(name)) {
    throw new Error(
      `namespace name ${JSON.stringify(name)}: letters, digits, dot, hyphen and underscore only, at most 255`,
    );
  }
  return name;
}

function base({ namespace }: InNamespace): ['ip', ...string[]] {
  return namespace === undefined ? ['ip'] : ['ip', '-n', checkNamespaceName(namespace)];
}

/** Returns the text of a batch, which is split at line ends and white space. Throws for a word that would become two. */
export function batchText(steps: readonly IpCommand[]): string {
  const lines = steps.map((words) => {
    const bad = words.find((word) => word === '' || /[\s"'\\#]/.test(word));
    if (bad !== undefined) throw new Error(`ip ${words.join(' ')}: ${JSON.stringify(bad)} cannot be a word of a batch`);
    return words.join(' ');
  });
  return `${lines.join('\n')}\n`;
}

/** Reads what `ip -batch` prints on stderr: reasons, each group closed by `Command failed -:<line>`. */
function parseFailures(steps: readonly IpCommand[], stderr: string, where: InNamespace): IpFailed[] {
  const failures: IpFailed[] = [];
  let reasons: string[] = [];
  for (const line of stderr.split('\n')) {
    const closing = /^Command failed .*:(\d+)$/.exec(line);
    const step = closing ? steps[Number(closing[1]) - 1] : undefined;
    if (step) {
      failures.push(new IpFailed(step, reasons.join('; '), where));
      reasons = [];
    } else if (line.trim()) reasons.push(line.trim());
  }
  return failures;
}

/**
 * Runs several `ip` commands in one process, in order, up to the first that fails.
 * Throws IpFailed that names the step; the steps before it are done, those after it are not.
 */
export async function ipBatch(steps: readonly IpCommand[], where: InNamespace = {}): Promise<void> {
  if (steps.length === 0) return;
  try {
    await run([...base(where), '-batch', '-'], { input: batchText(steps) });
  } catch (error) {
    throw asIpFailed(error, steps, where);
  }
}

/** Like `ipBatch`, but continues after a failure and returns all failures: for removing objects that may already be absent. */
export async function ipBatchAll(steps: readonly IpCommand[], where: InNamespace = {}): Promise<readonly IpFailed[]> {
  if (steps.length === 0) return [];
  const { stderr, exitCode } = await run([...base(where), '-force', '-batch', '-'], {
    input: batchText(steps),
    okCodes: [0, 1, 2, 255],
  });
  if (exitCode === 0) return [];
  const failures = parseFailures(steps, stderr, where);
  return failures.length > 0 ? failures : steps.map((step) => new IpFailed(step, stderr.trim(), where));
}

/**
 * Runs several queries in one process (`ip -j -d`); element i of the answer is the parsed output of step i, whose shape is that
 * of iproute2's JSON. Throws IpFailed.
 */
export async function ipQuery(steps: readonly IpCommand[], where: InNamespace = {}): Promise<readonly unknown[]> {
  try {
    const { stdout } = await run([...base(where), '-j', '-d', '-batch', '-'], { input: batchText(steps) });
    const answers = stdout.split('\n').filter((line) => line.trim() !== '');
    // A command that finds nothing prints nothing or [], depending on the release: unambiguous for a single one only.
    if (answers.length === 0 && steps.length === 1) return [[]];
    if (answers.length !== steps.length) {
      throw new Error(`ip -j printed ${answers.length} answers to ${steps.length} commands: ${stdout.slice(0, 200)}`);
    }
    return answers.map((line) => JSON.parse(line) as unknown);
  } catch (error) {
    throw asIpFailed(error, steps, where);
  }
}

/** Returns the failed step in the output of `ip -batch`; any other error unchanged. */
export function asIpFailed(
  error: unknown,
  steps: readonly IpCommand[],
  where: InNamespace,
  options: { readonly onlySteps?: boolean } = {},
): unknown {
  if (!(error instanceof CommandFailed) || error.exitCode === null) return error;
  const failed = parseFailures(steps, error.stderr, where)[0];
  return failed ?? (options.onlySteps ? error : new IpFailed(steps[0] ?? [], error.stderr.trim(), where));
}
