import { BY_SERVER, certificates, LOGIN, URL } from './keystone-login.ts';
import { flag, integer, text } from './option.ts';

/** `[nova]`: the Nova that is notified of its ports, and Neutrino's user at the Keystone whose catalogue names it. */
export const NOVA = {
  auth_url: text(
    '',
    'URL of the Keystone whose catalogue names Nova; `/v3` is appended if it is missing; empty: Nova is not notified',
    URL,
    BY_SERVER,
  ),
  ...LOGIN,
  region_name: text('', "region of Nova's endpoint; empty: the first one", {}, BY_SERVER),
  endpoint_type: text(
    'public',
    "interface of Nova's endpoint",
    {
      choices: ['public', 'admin', 'internal'],
      aliases: { publicURL: 'public', adminURL: 'admin', internalURL: 'internal' },
    },
    BY_SERVER,
  ),
  ...certificates("Keystone's and Nova's", 'Keystone and Nova'),
  timeout: integer(30, 'seconds that a request to Keystone or Nova may take', 1, 300, BY_SERVER),
} as const;

/** Options of `[DEFAULT]` about the events for Nova. */
export const NOVA_EVENTS = {
  notify_nova_on_port_status_changes: flag(
    true,
    'notify Nova when a port of a machine becomes ACTIVE, or DOWN after that; needs [nova] auth_url',
    BY_SERVER,
  ),
  notify_nova_on_port_data_changes: flag(
    true,
    'notify Nova when a port of a machine, or its floating IP, is changed or deleted; needs [nova] auth_url',
    BY_SERVER,
  ),
  send_events_interval: integer(
    2,
    'seconds between two requests with events to Nova; further events are sent together',
    0,
    300,
    BY_SERVER,
  ),
  http_retries: integer(
    3,
    'times that a request to Nova is repeated at once if it cannot be reached or answers 502, 503 or 504; after that it is ' +
      'repeated with growing pauses',
    0,
    10,
    BY_SERVER,
  ),
} as const;
