import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { scriptTable } from '../../simulators/sslcommerz/scripts.ts';

test('the README lists exactly the rows of the script table', async () => {
  // Guards the document that others script by: it must not fall behind the table.
  const readme = await readFile(join(import.meta.dirname, '../../simulators/README.md'), 'utf8');
  const rows = [...readme.matchAll(/^\| (\d\d) +\| `([a-z0-9-]+)` +\| (.+?) +\|$/gm)].map(([, number, name, about]) => [
    number,
    name,
    about,
  ]);
  const table = Object.keys(scriptTable)
    .toSorted()
    .map((number) => [number, scriptTable[number]?.name, scriptTable[number]?.about]);
  expect(rows).toEqual(table);
});
