const TITLES = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
} as const;

/** An error of the Identity API, with Keystone's body. */
export class IdentityError extends Error {
  readonly status: keyof typeof TITLES;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: keyof typeof TITLES, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'IdentityError';
    this.status = status;
    this.headers = headers;
  }

  get title(): string {
    return TITLES[this.status];
  }
}

/** The text of every 401: it does not tell whether user, password, token or scope was wrong. */
const UNAUTHENTICATED = 'The request you have made requires authentication.';

export const unauthorized = (): IdentityError => new IdentityError(401, UNAUTHENTICATED);

export const forbidden = (): IdentityError =>
  new IdentityError(403, 'You are not authorized to perform the requested action.');

export const notFound = (what: string, id: string): IdentityError =>
  new IdentityError(404, `Could not find ${what}: ${shown(id)}.`);

export const badRequest = (message: string): IdentityError => new IdentityError(400, message);

/** Shortens a value for a message. */
export const shown = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);
