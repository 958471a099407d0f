/**
 * Loaded before a program (`node --import`): its clock jumps an hour ahead on the first SIGUSR2, and back on the next. Monotonic
 * clocks (performance.now) are not affected, as when a real clock is set.
 */
const HOUR_MS = 3_600_000;
const RealDate = Date;
let shift = 0;

const now = () => RealDate.now() + shift;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, asked) => Reflect.construct(target, given.length === 0 ? [now()] : given, asked),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});

process.on('SIGUSR2', () => {
  shift = shift === 0 ? HOUR_MS : 0;
});
