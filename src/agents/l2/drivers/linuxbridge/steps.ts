import { type InNamespace, type IpCommand, type IpFailed, ipBatchAll, isAlreadyThere } from '../../../../linux/ip.ts';
import { setSysctls } from '../../../../linux/sysctl.ts';

/** A command and what to do when it fails: `optional` ones may. */
export interface WiringStep {
  readonly command: IpCommand;
  readonly optional?: true;
}

/** Runs all steps in one process and returns the failures that count: optional steps and what exists already do not. */
export async function runSteps(steps: readonly WiringStep[], where: InNamespace): Promise<readonly IpFailed[]> {
  const optional = new Set(steps.filter((step) => step.optional).map((step) => step.command));
  const failures = await ipBatchAll(
    steps.map((step) => step.command),
    where,
  );
  return failures.filter((failure) => !optional.has(failure.step) && !isAlreadyThere(failure));
}

/** Turns IPv6 off on devices: no router advertisement of a guest may configure the host. */
export async function disableIpv6(devices: readonly string[], where: InNamespace): Promise<void> {
  const keys = devices.map((device) => [`net/ipv6/conf/${device}/disable_ipv6`, 1]);
  // A kernel without IPv6 has no such keys, nor has a device that has vanished.
  await setSysctls(Object.fromEntries(keys), where).catch(() => undefined);
}
