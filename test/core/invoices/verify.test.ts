import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openOrm } from '../../../database/connection.ts';
import { openInvoiceWorld, type InvoiceWorld } from './invoice-world.ts';

let world: InvoiceWorld;
beforeAll(async () => {
  world = await openInvoiceWorld();
});
afterAll(() => world.close());

/** Changes rows as the database owner, who can write anything. `verify` must name the changed row. */
async function asOwner(sql: string, parameters: readonly unknown[] = []): Promise<void> {
  const orm = await openOrm({ url: world.databaseUrl, role: 'owner', poolSize: 1 });
  try {
    await orm.em.fork().execute(sql, [...parameters]);
  } finally {
    await orm.close();
  }
}

const findings = async () => (await world.verify()).findings.map(({ check, table, id }) => `${check} ${table} ${id}`);

test.each([
  ['more is paid than its payments brought', `update invoices set paid_minor = paid_minor + 1000 where id = ?`],
  ['a payment of it is made less', `update payments set overpayment_minor = 1000 where invoice_id = ?`],
  [
    'a line is made dearer',
    `update invoice_items set unit_amount_minor = 1, line_total_minor = 1 where invoice_id = ?`,
  ],
  ['an installment is lost', `delete from invoice_installments where position = 1 and invoice_id = ?`],
])('an invoice of which %s is named', async (_what, sql) => {
  const invoice = await world.bill({
    installments: [
      { dueDate: '2031-01-01', amountMinor: 4_000 },
      { dueDate: '2031-02-01', amountMinor: 6_000 },
    ],
  });
  await world.pay(invoice, 4_000n);
  const before = await findings();
  await asOwner(sql, [invoice.id]);
  const found = (await findings()).filter((finding) => !before.includes(finding));
  expect(found).toContain(`invoice invoices ${invoice.id}`);
});

test('a number that is missing is named', async () => {
  const invoice = await world.bill();
  const { applicationId } = world.caller.scope;
  const counter = `invoice invoice_counters ${applicationId}/TEST`;
  expect(await findings()).not.toContain(counter);
  await asOwner('update invoices set number = number + 1 where id = ?', [invoice.id]);
  expect(await findings()).toContain(counter);
  await asOwner('update invoices set number = number - 1 where id = ?', [invoice.id]);
});

test('a refund that is said to re-open what it did not is named', async () => {
  const invoice = await world.bill();
  await world.set({ refundedInvoices: 'KEEP' });
  const payment = await world.pay(invoice, 10_000n);
  const refund = await world.refund(payment, 2_000n);
  expect(await findings()).not.toContain(`invoice invoices ${invoice.id}`);
  await asOwner('update refunds set reopens_invoice = true where id = ?::bigint', [refund.refundId]);
  expect(await findings()).toContain(`invoice invoices ${invoice.id}`);
});
