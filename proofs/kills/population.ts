import { sell, mappingOf, payOut } from '../trade/sales.ts';
import { TRADING_GATEWAYS, type TradingGateway } from '../trade/gateways.ts';
import { control } from '../trade/simulators.ts';
import type { ApiOperator } from '../trade/operator.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';

/** What is reconciled: files as gateways and bank make them, ready to be uploaded. */
export interface Population {
  readonly files: readonly GatewayFile[];
  readonly statement: Uint8Array;
}

export interface GatewayFile {
  readonly gateway: string;
  readonly storeId: string;
  readonly bytes: Uint8Array;
}

export interface PopulationOrder {
  readonly dev: DevFile;
  readonly masterKey: string;
  readonly payments: number;
  readonly days: number;
  /** How many lines of nobody's payments the largest file has. */
  readonly strangers: number;
  readonly seed: string;
  readonly until: string;
}

/** One of each difference that the files of every gateway can show. */
const FAULTS = { missing: 1, duplicated: 1, late: 1, amount: 1, foreign: 1, split: 1, fee: 1, negative: 1 };

/** Takes payments at every gateway, refunds some, and has them paid out with differences. */
export async function populate(order: PopulationOrder, operator: ApiOperator): Promise<Population> {
  const { dev } = order;
  const files: GatewayFile[] = [];
  for (const gateway of TRADING_GATEWAYS) {
    await sell(order, gateway);
    await payOut(dev, gateway, { until: order.until, seed: order.seed, spreadDays: order.days, faults: FAULTS });
    if (gateway.mapping !== null) {
      await operator.post('/admin/payout-mappings', { gateway: gateway.name, mapping: mappingOf(gateway.mapping) });
      files.push(await fileOf(order, gateway));
    }
  }
  const statement = await control(dev, '/bank/statement.xml');
  return { files, statement: new Uint8Array(await statement.arrayBuffer()) };
}

async function fileOf({ dev, strangers, until }: PopulationOrder, gateway: TradingGateway): Promise<GatewayFile> {
  const { name, storeId, control: path, merchant } = gateway;
  const file = await control(dev, `${path}/payouts/files/lines.csv?${new URLSearchParams(merchant)}`);
  const text = await file.text();
  // SSLCOMMERZ's file names no payouts: the lines of strangers are those of a day on which it pays nothing else out.
  const more = name === 'sslcommerz' ? Array.from({ length: strangers }, (_, index) => strangersRow(index, until)) : [];
  return { gateway: name, storeId, bytes: Buffer.from([text.trimEnd(), ...more, ''].join('\r\n')) };
}

function strangersRow(index: number, until: string): string {
  const name = `STRANGER${String(index).padStart(12, '0')}`;
  return `${name},B${name},${until} 10:00:00,${until},${100 + (index % 900)}.00`;
}
