type Json = Readonly<Record<string, unknown>>;

/** What became of a request: an answer; or none, and then whether it may have been carried out all the same. */
export type Answer =
  | { readonly status: number; readonly body: Json }
  | { readonly status: undefined; readonly delivered: boolean };

/** Longer than a server tries to reach its database. */
const ANSWER_MS = 60_000;

/** Asks an API. Does not throw: a server that is killed meanwhile is what these tests are about. */
export async function ask(url: string, method: string, path: string, body?: Json): Promise<Answer> {
  try {
    const response = await fetch(`${url}/v2.0/${path}`, {
      method,
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Json) };
  } catch (error) {
    const { code } = ((error as { cause?: unknown }).cause ?? {}) as { readonly code?: unknown };
    return { status: undefined, delivered: code !== 'ECONNREFUSED' };
  }
}
