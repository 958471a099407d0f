/**
 * Keystone, or a service of its catalogue, gave no answer: it cannot be reached, takes too long, rejects Neutrino's own user, or
 * says something that the service does not say. The message says what and never contains a token or a password.
 */
export class ServiceFailure extends Error {
  /** The same request may succeed in a moment. */
  readonly passing: boolean;

  constructor(message: string, { passing = false, cause }: { passing?: boolean; cause?: unknown } = {}) {
    super(message, { cause });
    this.name = 'ServiceFailure';
    this.passing = passing;
  }
}
