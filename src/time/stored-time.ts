/** Maximum number of cached texts: only a few distinct seconds are used at the same time. */
const MAX_TEXTS = 16;
const texts = new Map<number, string>();

/**
 * Returns a time (milliseconds since 1970) as tables store it: UTC, `YYYY-MM-DD HH:MM:SS`. Formatted once a second, because
 * every port that is created stores some.
 */
export function storedTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  const known = texts.get(second);
  if (known !== undefined) return known;
  if (texts.size >= MAX_TEXTS) texts.clear();
  const text = new Date(second * 1000).toISOString().slice(0, 19).replace('T', ' ');
  texts.set(second, text);
  return text;
}
