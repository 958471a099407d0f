/** Returns the path in `sqlite:////path/to/file` (SQLAlchemy's form: three slashes, then the path); undefined for anything else. */
export const parseSqliteUrl = (text: string): string | undefined => /^sqlite:\/\/\/(.+)$/.exec(text)?.[1];
