/** A request without a token that is valid here; the answer is that of keystonemiddleware. */
export class Unauthorized extends Error {
  readonly status = 401;
  /** For the header WWW-Authenticate: where clients log in. */
  readonly challenge: string;

  /** `identityUrl`: URL of the Identity service. */
  constructor(identityUrl: string) {
    super('The request you have made requires authentication.');
    this.name = 'Unauthorized';
    // A quote would end the value, and a line break the header.
    this.challenge = `Keystone uri="${identityUrl.replace(/["\\\p{Cc}]/gu, '')}"`;
  }
}
