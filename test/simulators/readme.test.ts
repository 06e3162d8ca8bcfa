import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { scriptTable as nagadScripts } from '../../simulators/nagad/scripts.ts';
import { scriptTable as sslcommerzScripts } from '../../simulators/sslcommerz/scripts.ts';
import { scriptTable as stripeScripts } from '../../simulators/stripe/scripts.ts';

type Table = Readonly<Record<string, { name: string; about: string }>>;

test.each<[string, Table]>([
  ['SSLCOMMERZ', sslcommerzScripts],
  ['Nagad', nagadScripts],
  ['Stripe', stripeScripts],
])('the README lists exactly the rows of the script table of %s', async (gateway, scripts) => {
  // Test authors choose scripts from the README, so it must match the table.
  const readme = await readFile(join(import.meta.dirname, '../../simulators/README.md'), 'utf8');
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${gateway}\n`)) ?? '';
  const rows = [...section.matchAll(/^\| (\d\d) +\| `([a-z0-9-]+)` +\| (.+?) +\|$/gm)].map(
    ([, number, name, about]) => [number, name, about],
  );
  const table = Object.keys(scripts)
    .toSorted()
    .map((number) => [number, scripts[number]?.name, scripts[number]?.about]);
  expect(rows).toEqual(table);
});
