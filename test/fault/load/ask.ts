import { ApiClient, type Json } from '../../support/api-client.ts';

/** The outcome of a request: a response; or none, and whether it may have been carried out nevertheless. */
export type Answer =
  | { readonly status: number; readonly body: Json }
  | { readonly status: undefined; readonly delivered: boolean };

/** Sends a request to an API. Does not throw, because servers that are killed meanwhile are the subject of these tests. */
export async function ask(url: string, method: string, path: string, body?: Json): Promise<Answer> {
  try {
    return await new ApiClient(url).request(method, path, body);
  } catch (error) {
    const { code } = ((error as { cause?: unknown }).cause ?? {}) as { readonly code?: unknown };
    return { status: undefined, delivered: code !== 'ECONNREFUSED' };
  }
}
