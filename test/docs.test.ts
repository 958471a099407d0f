import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const PAGES = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)];
const CODE_PATH = /`((?:src|test|bench|docs)\/[\w./-]+)`/g;
const LINK = /\]\((?!https?:)([^)#\s]+)/g;

test.each(PAGES)('paths and links in %s exist', (page) => {
  const text = readFileSync(page, 'utf8');
  const paths = [...text.matchAll(CODE_PATH)].map(([, path = '']) => path);
  const links = [...text.matchAll(LINK)].map(([, path = '']) => join(dirname(page), path));
  expect([...paths, ...links].filter((path) => !path.includes('<') && !existsSync(path))).toEqual([]);
});

test('docs/architecture.md describes every folder in src/', () => {
  const text = readFileSync('docs/architecture.md', 'utf8');
  const folders = readdirSync('src').map((name) => `\`src/${name}\``);
  expect(folders.filter((folder) => !text.includes(folder))).toEqual([]);
});
