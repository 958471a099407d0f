import { ControlServer } from './control-server.ts';
import { Forwarder } from './forward.ts';
import { Listeners } from './listeners.ts';
import type { ProcessSettings, Report } from './messages.ts';
import { RateLimit } from './rate-limit.ts';

/** How long requests that have begun may take, once the process is to end. */
const FINISH_MS = 35_000;

// Only root controls it.
process.umask(0o077);
// The agent ends it by a command; a signal to the agent's terminal or session does not concern it.
process.on('SIGHUP', () => undefined).on('SIGINT', () => undefined);
const settings = JSON.parse(process.argv[2] ?? '') as ProcessSettings;
const { rates, upstream } = settings;
const report = (one: Report): void => control.report(one);
const forwarder = new Forwarder({
  upstream,
  limit: rates && new RateLimit(rates),
  limitedVersions: rates?.versions ?? [],
  report,
});
const listeners = new Listeners(forwarder, report);
const control = new ControlServer({ settings, listeners, onLeave: () => void leave() });
process.on('SIGTERM', () => control.leave());
await control.start();

async function leave(): Promise<void> {
  setTimeout(() => process.exit(0), FINISH_MS).unref();
  await listeners.finish();
  process.exit(0);
}
