import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { newPayer, hasReturnForm } from '../../bench/counts/payer.ts';
import { registerApplication } from '../../core/applications/store/applications.ts';
import { openDatabase } from '../../database/connection.ts';
import { createSecretBox } from '../../runtime/secrets.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';

const Payment = z.object({ id: z.int(), status: z.string(), checkoutUrl: z.url() });
const Refund = z.object({ id: z.int(), status: z.string() });

/** An application that trades in LIVE at one gateway. */
export interface LiveShop {
  /** Takes a payment to its end, acting as the payer. Returns its id. */
  takePayment(amountMinor: number): Promise<number>;
  refund(paymentId: number, amountMinor: number): Promise<void>;
  refundStatuses(): Promise<string[]>;
  paymentStatus(id: number): Promise<string>;
}

export async function openLiveShop(
  { dev, masterKey }: { readonly dev: DevFile; readonly masterKey: string },
  { name, currency }: { readonly name: string; readonly currency: string },
): Promise<LiveShop> {
  const database = await openDatabase({ url: dev.databaseUrl, poolSize: 1 });
  const app = await registerApplication(
    { database, secrets: createSecretBox(masterKey) },
    { name: `Shop at ${name}`, checkoutGateways: [name] },
  );
  await database.close();
  const headers = { 'X-Api-Key': app.live.apiKey, 'X-Api-Secret': app.live.apiSecret };
  const refunds: number[] = [];
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(dev.api + path, {
      method,
      headers: { ...headers, 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 200)}`);
    }
    return z.object({ data: z.unknown() }).parse(JSON.parse(text)).data;
  };
  return {
    async takePayment(amountMinor) {
      const payment = Payment.parse(
        await call('POST', '/payments', {
          amountMinor,
          currency,
          customerReference: 'cust_1',
          customerEmail: 'jane@example.com',
          productName: 'Trade',
        }),
      );
      const payer = newPayer();
      try {
        const paid = await payer.pay(await payer.goOn(await payer.open(payment.checkoutUrl)));
        if (hasReturnForm(paid)) {
          await payer.comeBack(paid);
        }
      } finally {
        await payer.leave();
      }
      return payment.id;
    },
    async refund(paymentId, amountMinor) {
      const refund = Refund.parse(
        await call('POST', `/payments/${paymentId}/refunds`, { amountMinor, reason: 'Trade' }),
      );
      refunds.push(refund.id);
    },
    refundStatuses: () =>
      Promise.all(refunds.map(async (id) => Refund.parse(await call('GET', `/refunds/${id}`)).status)),
    paymentStatus: async (id) => Payment.parse(await call('GET', `/payments/${id}`)).status,
  };
}
