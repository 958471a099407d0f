/** Waits `ms` milliseconds; resolves to false as soon as the signal aborts. */
export function pause(ms: number, stop?: AbortSignal): Promise<boolean> {
  if (stop?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (whole: boolean) => {
      clearTimeout(timer);
      stop?.removeEventListener('abort', stopped);
      resolve(whole);
    };
    const stopped = () => end(false);
    const timer = setTimeout(() => end(true), ms);
    stop?.addEventListener('abort', stopped);
  });
}
