import type { Registration } from '../../core/applications/store/applications.ts';
import { openDatabase } from '../../database/connection.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import { paidPayment, send } from './paid-payment.ts';
import type { PageSubjects } from './pages.ts';

const INVOICE = { customerReference: 'payer', lineItems: [{ description: 'Fee', qty: 1, unitAmountMinor: 100_000 }] };
const CHOICES = [['sslcommerz'], ['sslcommerz', 'bkash', 'nagad']];

/** Creates payments in several states and an invoice, so that the pages have something to show and to change. */
export async function openPageSubjects({ api, databaseUrl }: DevFile, { test }: Registration): Promise<PageSubjects> {
  const headers = { 'X-Api-Key': test.apiKey, 'X-Api-Secret': test.apiSecret };
  for (const gateways of CHOICES) {
    await send(`${api}/payments`, { headers, body: { amountMinor: 50_000, customerReference: 'payer', gateways } });
  }
  await paidPayment(api, { credentials: test, amountMinor: 50_000, number: 1 });
  await send(`${api}/invoices`, { headers, body: INVOICE });
  const database = await openDatabase({ url: databaseUrl, poolSize: 1 });
  try {
    const references = (table: 'payments' | 'invoices') =>
      database.withSystem(async (em) => {
        const rows = await em.execute<{ reference: string }[]>(`select reference from ${table} order by id`);
        return rows.map(({ reference }) => reference);
      });
    return { payments: await references('payments'), invoices: await references('invoices') };
  } finally {
    await database.close();
  }
}
