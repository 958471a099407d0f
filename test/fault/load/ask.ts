import { ApiClient, type Json } from '../../support/api-client.ts';

/** What became of a request: an answer; or none, and then whether it may have been carried out all the same. */
export type Answer =
  | { readonly status: number; readonly body: Json }
  | { readonly status: undefined; readonly delivered: boolean };

/** Asks an API. Does not throw: a server that is killed meanwhile is what these tests are about. */
export async function ask(url: string, method: string, path: string, body?: Json): Promise<Answer> {
  try {
    return await new ApiClient(url).request(method, path, body);
  } catch (error) {
    const { code } = ((error as { cause?: unknown }).cause ?? {}) as { readonly code?: unknown };
    return { status: undefined, delivered: code !== 'ECONNREFUSED' };
  }
}
