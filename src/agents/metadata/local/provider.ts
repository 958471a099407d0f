import type { Logger } from 'pino';
import type { MachineDocument } from '../../../rpc/topics/metadata.ts';
import type { MachineRequest, MetadataAnswer, MetadataProvider } from '../contract.ts';
import { Outages } from '../outages.ts';
import { Refused } from '../request.ts';
import { ec2Answer, ec2Versions } from './ec2.ts';
import { machineOf } from './machine.ts';
import type { MachineSource } from './machine-source.ts';
import { openStackAnswer, openStackVersions, TEXT } from './openstack.ts';
import { segmentsOf } from './target.ts';

/** The longest password, as in Nova: it is encrypted with the machine's key. */
const MAX_PASSWORD = 1_020;

interface LocalParts {
  readonly source: MachineSource;
  /** Domain of host names. */
  readonly domain: string;
  readonly log: Logger;
}

/** Answers from what the server knows of the machine (`metadata_provider = local`): no Nova is needed. */
export class LocalMetadata implements MetadataProvider {
  readonly #parts: LocalParts;
  readonly #outages: Outages;

  constructor(parts: LocalParts) {
    this.#parts = parts;
    this.#outages = new Outages(parts.log);
  }

  async answer(request: MachineRequest): Promise<MetadataAnswer> {
    const segments = segmentsOf(request.path);
    const [api = 'ec2', ...path] =
      segments[0] === 'openstack' || segments[0] === 'ec2' ? segments : ['ec2', ...segments];
    const isPassword = api === 'openstack' && path[1] === 'password';
    // What has just been set, by whichever agent, is not asked for in the cache.
    const document = await this.#machine(request, isPassword ? 0 : undefined);
    if (path.length === 0) return sent(request, api === 'ec2' ? ec2Versions() : openStackVersions());
    const { instance, address } = request;
    const machine = machineOf(instance, document, address, this.#parts.domain);
    const answer = api === 'openstack' ? openStackAnswer(machine, path) : ec2Answer(machine, path);
    if (answer === undefined) throw new Refused(404, `no metadata at ${segments.join('/')}`);
    if (answer === 'password' && api === 'openstack') return this.#password(request, document.password);
    if (typeof answer === 'string' || Buffer.isBuffer(answer)) return sent(request, answer);
    return sent(request, answer.body, answer.type);
  }

  async #machine({ instance }: MachineRequest, maxAgeMs?: number): Promise<MachineDocument> {
    const document = await this.#fromServer(() => this.#parts.source.find(instance, maxAgeMs));
    if (!document) throw new Refused(404, `no port of project ${instance.project} has the device ${instance.id}`);
    return document;
  }

  /** Shows the password of a machine, or stores it, which is possible once. */
  async #password(request: MachineRequest, known: string | null): Promise<MetadataAnswer> {
    const { method, body, instance } = request;
    if (method === 'GET' || method === 'HEAD') return sent(request, known ?? '');
    if (method !== 'POST') throw new Refused(400, `${method} of a password`);
    if (known !== null) throw new Refused(409, `instance ${instance.id} has a password`);
    const text = textOf(body ?? Buffer.alloc(0));
    if (text === '') return sent({ method: 'GET' }, '');
    const stored = await this.#fromServer(() => this.#parts.source.setPassword(instance, text));
    if (stored === undefined) throw new Refused(404, 'the server stores no passwords');
    if (!stored) throw new Refused(409, `instance ${instance.id} has a password`);
    return sent({ method: 'GET' }, '');
  }

  async #fromServer<T>(call: () => Promise<T>): Promise<T> {
    try {
      const result = await call();
      this.#outages.end('server', 'the server can be asked for machines again');
      return result;
    } catch (error) {
      const failure = new Error('the server cannot be asked for machines: they get no metadata', { cause: error });
      this.#outages.begin('server', failure);
      throw new Refused(503, failure.message, error);
    }
  }

  async close(): Promise<void> {}
}

/** Returns a password. Throws Refused unless it is a text of acceptable length. */
function textOf(body: Buffer): string {
  if (body.length > MAX_PASSWORD) throw new Refused(400, `a password of ${body.length} bytes`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw new Refused(400, 'a password that is not UTF-8');
  }
  if (text.includes('\u0000')) throw new Refused(400, 'a password with a NUL character');
  return text;
}

/** Returns a successful answer. Throws Refused if the request is not for reading. */
function sent({ method }: Pick<MachineRequest, 'method'>, text: string | Buffer, type = TEXT): MetadataAnswer {
  if (method !== 'GET' && method !== 'HEAD') throw new Refused(405, `method ${method}`);
  const body = typeof text === 'string' ? Buffer.from(text) : text;
  return { status: 200, headers: { 'content-type': type, 'content-length': body.length }, body };
}
