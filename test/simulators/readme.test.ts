import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { payoutFaults } from '../../simulators/kit/payouts/faults.ts';
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

test('the README lists exactly the faults of payouts', async () => {
  const readme = await readFile(join(import.meta.dirname, '../../simulators/README.md'), 'utf8');
  const section = readme.split(/^## /m).find((text) => text.startsWith('Payouts\n')) ?? '';
  const [, table = ''] = section.split('| fault | what is wrong |');
  const rows = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, fault, about]) => [
    fault,
    about,
  ]);
  expect(rows).toEqual(Object.entries(payoutFaults));
});
