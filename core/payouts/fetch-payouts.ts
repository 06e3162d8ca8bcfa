import type { CoreDependencies } from '../dependencies.ts';
import type { Mode } from '../../domain/mode.ts';
import { addDays, type PlainDate } from '../../domain/plain-date.ts';
import { payoutFileReference, payoutReference } from '../../domain/references.ts';
import type { Gateway, PayoutPage } from '../../gateways/port.ts';
import { matchEntries } from './match-entries.ts';
import { everyStore, type StoreToRead } from './every-store.ts';
import { LineBatch, LineNumbering, type LinesSource } from './store-lines.ts';
import { beginApiSource, countApiLines, sayPayouts } from './store/api-sources.ts';
import { addRejections } from './store/lines.ts';

/** A gateway may complete a payout some days after it has sent it, so each run looks back. Lines that are known are left out. */
const LOOK_BACK_DAYS = 7;
/** Real days have a few hundred pages at most. A limit keeps a gateway that never ends from holding a run. */
const PAGES_MAX = 20_000;

type Dependencies = Pick<CoreDependencies, 'database' | 'gateways' | 'calendar'>;

export interface DayToFetch {
  readonly mode: Mode;
  readonly gateway: string;
  readonly period: PlainDate;
  /** Stores for which operators have switched on an API that the gateway does not document. */
  readonly trustedStores: readonly string[];
}

export interface Fetched {
  readonly stores: number;
  readonly lines: number;
}

/**
 * Reads what the gateway's own API says of the payouts of a day and the week before, page by page, one transaction each. It may be repeated: known
 * lines are left out. Bank entries that waited for these payouts are assigned. Gateways without such an API are left to files.
 *
 * @param onPage - called after each page with the number of lines so far; may throw to stop
 * @throws GatewayFailure
 */
export async function fetchPayouts(
  deps: Dependencies,
  day: DayToFetch,
  onPage: (lines: number) => void,
): Promise<Fetched> {
  const { gateways } = deps;
  const { mode, gateway } = day;
  const how = gateways.capabilities(gateway)?.payouts ?? 'file';
  if (how === 'file') {
    return { stores: 0, lines: 0 };
  }
  const stores = (await everyStore(deps, { gateway, mode })).filter(
    ({ storeId }) => how === 'api' || day.trustedStores.includes(storeId),
  );
  let lines = 0;
  for (const store of stores) {
    const opened = gateways.open(gateway, mode, store);
    if (opened?.readPayouts !== undefined) {
      lines += await readStore(deps, day, { store, read: opened.readPayouts.bind(opened), before: lines, onPage });
    }
  }
  if (lines > 0) {
    await matchEntries(deps, { mode });
  }
  return { stores: stores.length, lines };
}

interface Reading {
  readonly store: StoreToRead;
  readonly read: NonNullable<Gateway['readPayouts']>;
  readonly before: number;
  readonly onPage: (lines: number) => void;
}

async function readStore(
  { database, calendar }: Dependencies,
  { mode, gateway, period }: DayToFetch,
  { store: { storeId, applicationId: storeApplicationId }, read, before, onPage }: Reading,
): Promise<number> {
  const window = { from: addDays(period, -LOOK_BACK_DAYS), to: period };
  const row = await database.withSystem((em) =>
    beginApiSource(em, {
      reference: payoutFileReference(),
      mode,
      gateway,
      storeId,
      storeApplicationId,
      name: `${gateway} ${window.from} to ${window.to}`,
    }),
  );
  const source: LinesSource = { ...row, mode, gateway, storeId, storeApplicationId };
  const numbering = new LineNumbering();
  let rowsRead = 0;
  let after: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const said: PayoutPage = await read({ ...window, after });
    const lines = new LineBatch(source, calendar);
    for (const line of said.lines) {
      rowsRead += 1;
      lines.add(numbering.number(line, rowsRead));
    }
    const rejections = said.rejected.map(({ rejection }, index) => ({ row: rowsRead + index + 1, ...rejection }));
    rowsRead += rejections.length;
    await database.withSystem(async (em) => {
      if (said.payouts.length > 0) {
        await sayPayouts(em, { mode, gateway, storeId, storeApplicationId, payouts: jsonOf(said) });
      }
      const { added, known } = await lines.store(em);
      await addRejections(em, { fileId: row.id, rejections });
      await countApiLines(em, { id: row.id, rowsRead, added, known, rejected: rejections.length });
    });
    onPage(before + rowsRead);
    after = said.next;
    if (after === null) {
      return rowsRead;
    }
  }
  throw new Error(`the payouts of ${gateway} have more than ${PAGES_MAX} pages`);
}

function jsonOf({ payouts }: PayoutPage): string {
  return JSON.stringify(
    payouts.map((payout) => ({
      reference: payoutReference(),
      name: payout.payoutReference,
      currency: payout.currency,
      amount: payout.amountMinor.toString(),
      status: payout.status,
      day: payout.arrivesOn,
      trace: payout.bankReference,
      itemized: String(payout.itemized),
    })),
  );
}
