/** A UUID as the database and the agents write it: lower case, with hyphens. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A UUID as a client of the API may write it: any case, hyphens optional. */
export const LENIENT_UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** A MAC address: six bytes with colons, any case. */
export const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

/** Where an OVSDB server listens (ovsdb(7), "Connection Methods"): a UNIX socket, or an address and a TCP port. */
export const OVSDB_ADDRESS = /^(unix:\/[^\s]+|tcp:(\[[0-9a-fA-F:]+\]|[0-9.]+):\d{1,5})$/;
