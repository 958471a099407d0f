import type { ApiClient } from '../../support/api-client.ts';
import type { ApiFacts } from '../agreement/facts.ts';

const PAGE = 500;

type Item = { readonly id: string };

/** All networks, subnets and ports, page by page. Throws if a list fails. */
export async function readApi(api: ApiClient): Promise<ApiFacts> {
  const [networks, subnets, ports] = await Promise.all([
    readAll<ApiFacts['networks'][number]>(api, 'networks'),
    readAll<ApiFacts['subnets'][number]>(api, 'subnets'),
    readAll<ApiFacts['ports'][number]>(api, 'ports'),
  ]);
  return { networks, subnets, ports };
}

async function readAll<T extends Item>(api: ApiClient, kind: string): Promise<readonly T[]> {
  const all: T[] = [];
  for (let marker = ''; ; marker = all.at(-1)?.id ?? '') {
    const query = `limit=${PAGE}&sort_key=id&sort_dir=asc${marker ? `&marker=${marker}` : ''}`;
    const page = (await api.get<Record<string, readonly T[]>>(`${kind}?${query}`))[kind] ?? [];
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}
