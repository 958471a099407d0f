import type { ApiFacts } from '../agreement/facts.ts';

const PAGE = 500;
const ANSWER_MS = 30_000;

type Item = { readonly id: string };

/** All networks, subnets and ports, page by page. Throws when a list is refused. */
export async function readApi(url: string): Promise<ApiFacts> {
  const [networks, subnets, ports] = await Promise.all([
    readAll<ApiFacts['networks'][number]>(url, 'networks'),
    readAll<ApiFacts['subnets'][number]>(url, 'subnets'),
    readAll<ApiFacts['ports'][number]>(url, 'ports'),
  ]);
  return { networks, subnets, ports };
}

async function readAll<T extends Item>(url: string, kind: string): Promise<readonly T[]> {
  const all: T[] = [];
  for (let marker = ''; ; marker = all.at(-1)?.id ?? '') {
    const query = `limit=${PAGE}&sort_key=id&sort_dir=asc${marker ? `&marker=${marker}` : ''}`;
    const response = await fetch(`${url}/v2.0/${kind}?${query}`, { signal: AbortSignal.timeout(ANSWER_MS) });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`GET ${kind}: ${response.status} ${text}`);
    const page = (JSON.parse(text) as Record<string, readonly T[]>)[kind] ?? [];
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}
