import { z } from 'zod';
import { SHIPPED_MAPPINGS } from '../../domain/payouts/shipped-mappings.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import type { TradingGateway } from './gateways.ts';
import { openLiveShop, type LiveShop } from './shop.ts';
import { control } from './simulators.ts';
import { until } from './until.ts';

export interface Sales {
  readonly dev: DevFile;
  readonly masterKey: string;
  /** At each gateway. */
  readonly payments: number;
}

/** Takes payments at one gateway for a shop of its own, and refunds a tenth of them in part. */
export async function sell(sales: Sales, gateway: TradingGateway): Promise<void> {
  const shop = await openLiveShop(sales, gateway);
  await settled(shop, await takePayments(shop, gateway, sales));
}

async function takePayments(shop: LiveShop, { refunds }: TradingGateway, { payments }: Sales): Promise<number[]> {
  const taken: number[] = [];
  for (let index = 0; index < payments; index += 1) {
    const id = await shop.takePayment(10_000 + index * 100);
    taken.push(id);
    if (refunds && index % 10 === 9) {
      await until(async () => (await shop.paymentStatus(id)) === 'SUCCEEDED');
      await shop.refund(id, 4_000);
    }
  }
  return taken;
}

async function settled(shop: LiveShop, taken: readonly number[]): Promise<void> {
  for (const id of taken) {
    await until(async () => ['SUCCEEDED', 'PARTIALLY_REFUNDED'].includes(await shop.paymentStatus(id)));
  }
  await until(async () => (await shop.refundStatuses()).every((status) => status === 'SUCCEEDED'));
}

export interface PayoutOrder {
  /** The last day of payouts, in the future as well. */
  readonly until: string;
  readonly seed: string;
  readonly spreadDays: number;
  /** How many of each fault the gateway makes. */
  readonly faults?: Readonly<Record<string, number>>;
}

/** Has a gateway pay out what it took. Returns the number of its payouts. */
export async function payOut(
  dev: DevFile,
  { control: path, merchant }: TradingGateway,
  order: PayoutOrder,
): Promise<number> {
  const made = await control(dev, `${path}/payouts`, { ...merchant, ...order });
  const { payouts, notPlanted } = z
    .object({ payouts: z.array(z.unknown()), notPlanted: z.record(z.string(), z.int()).optional() })
    .parse(await made.json());
  if (Object.keys(notPlanted ?? {}).length > 0) {
    throw new Error(`too few charges for the faults ${JSON.stringify(notPlanted)}`);
  }
  return payouts.length;
}

/** Returns how the file of a gateway is read. */
export function mappingOf({ shipped }: NonNullable<TradingGateway['mapping']>): object {
  const found = Object.entries(SHIPPED_MAPPINGS).find(([known]) => known === shipped);
  if (found === undefined) {
    throw new Error(`no mapping is shipped for ${shipped}`);
  }
  return found[1];
}
