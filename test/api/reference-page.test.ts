import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openCore } from '../support/core.ts';
import { servicesOf } from '../support/services.ts';
import { referencePage } from './reference-page.ts';

const page = new URL('../../docs/api.md', import.meta.url);

test('docs/api.md says what is served, and who may use it', async () => {
  const core = await openCore();
  try {
    const { all, policy } = servicesOf(core);
    const text = referencePage(all, policy);
    if (process.env.UPDATE_DOCS === '1') writeFileSync(page, text);
    expect(readFileSync(page, 'utf8')).toBe(text);
  } finally {
    await core.dispose();
  }
});
