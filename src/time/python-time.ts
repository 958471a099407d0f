/** Returns a UTC time as Python prints it: with a blank and microseconds, such as `2026-01-31 12:00:00.123000`. */
export const pythonTime = (time: Date): string => time.toISOString().replace('T', ' ').replace('Z', '000');
