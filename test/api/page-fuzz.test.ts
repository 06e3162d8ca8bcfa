import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fuzzPages, problemsOfPages, type PageSubjects } from '../../proofs/fuzz/pages.ts';
import { openBilling, type Billing } from './invoices/billing.ts';

const SEED = 20_261_123;
const COUNT = 1_500;

let billing: Billing;
let subjects: PageSubjects;
let web: string;
beforeAll(async () => {
  billing = await openBilling();
  const { world, shop } = billing;
  const open = await billing.send('/payments', {
    method: 'POST',
    body: { amountMinor: 10_000, customerReference: 'c', gateways: ['sslcommerz'] },
  });
  const invoice = await billing.create();
  const paidUp = await billing.create();
  await billing.payUp(paidUp.data['id'], 100_000);
  subjects = {
    payments: [String(open.data['reference']), (await world.paidPayment(shop)).reference],
    invoices: [invoice, paidUp].map(({ data }) => String(data['payableUrl']).split('/').at(-1) ?? ''),
  };
  web = await world.listen({ pages: true, trustedProxies: 1 });
});
afterAll(() => billing.close());

test('hostile paths, queries, forms, cookies and headers get a page, never a failure of ours', async () => {
  // A stranger's input must neither cause a 500 nor reveal what software runs here. The long form is `npm run test:fuzz -- --as pages`.
  const findings = await fuzzPages({ web, subjects, seed: SEED, count: COUNT });
  expect(problemsOfPages(findings, COUNT)).toEqual([]);
});
