import { pino, type Logger } from 'pino';
import pg from 'pg';
import type { Database } from '../../../database/connection.ts';
import type { PayoutMappingInput } from '../../../domain/payouts/mapping.ts';
import { readBooks, type Books } from '../../../proofs/kills/books.ts';
import type { Random } from '../../../proofs/faults/random.ts';
import {
  createApplication,
  makeRefund,
  openLedger,
  payPayment,
  receiveLate,
  type PaidPayment,
} from '../ledger/ledger-fixture.ts';
import { openPayoutWorldAt } from '../payouts/payout-world.ts';
import { CALENDAR } from './reconciliation-world.ts';

const NET_MINOR = 9_750n;
const MAPPING: Partial<PayoutMappingInput> = {
  columns: {
    payoutReference: { headings: ['payout'] },
    kind: { headings: ['kind'] },
    lineReference: { headings: ['id'] },
    gatewayTxnId: { headings: ['txn'] },
    gross: { headings: ['gross'] },
    paidOutOn: { headings: ['day'] },
    currency: { headings: ['currency'] },
    originalCurrency: { headings: ['paid in'] },
    exchangeRate: { headings: ['rate'] },
  },
  kinds: (['CHARGE', 'REFUND', 'FEE', 'TAX', 'DISPUTE', 'RESERVE'] as const).map((kind) => ({ words: [kind], kind })),
  fixed: {},
};
/** A taka is so many dollars, where the gateway converts. */
const RATE = '0.0082';
const RATE_TEN_THOUSANDTHS = 82n;

type Query = <Row extends object>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;

/** A shop, its gateway and its bank. */
export interface StoryWorld {
  readonly database: Database;
  readonly log: Logger;
  readonly query: Query;
  /** What the gateway has paid out so far: the rows of its file. */
  readonly rows: readonly string[];
  pay(): Promise<void>;
  /** Money that comes a second time for an attempt. */
  payLate(): Promise<void>;
  refund(): Promise<void>;
  /** The gateway pays out some of what it owes, rightly or not. */
  payOut(): void;
  /** The bank receives a payout, sometimes a taka short. */
  receive(): Promise<void>;
  /** A payment turns out to be forty days old. */
  letTimePass(): Promise<void>;
  /** Two people decide about an open case. */
  decide(): Promise<void>;
  upload(window: { readonly from: number; readonly to: number }): Promise<string>;
  import(reference: string, database: Database): Promise<unknown>;
  /** The days on which something moved. */
  days(): Promise<string[]>;
  books(): Promise<Books>;
  verify(): Promise<string[]>;
  /** Runs SQL without triggers and foreign keys. */
  damage(sql: string): Promise<void>;
  close(): Promise<void>;
}

export async function openStoryWorld(random: Random): Promise<StoryWorld> {
  const ledger = await openLedger();
  const payouts = await openPayoutWorldAt(ledger.url, MAPPING);
  const client = new pg.Client({ connectionString: ledger.url });
  await client.connect();
  const { database } = ledger;
  const applicationId = await createApplication(database);
  const query = ((sql, values) => payouts.rows(sql, values)) as Query;
  const scope = { applicationId, mode: 'LIVE' } as const;
  const people = await query<{ id: string }>(
    `insert into operators (email, name, password_hash) values ('ann@example.com', 'Ann', 'x'), ('ben@example.com', 'Ben', 'x') returning id::text`,
  );
  const paid: PaidPayment[] = [];
  /** What the gateway owes: the rows that are right. */
  const owed: { kind: string; txn: string; minor: bigint }[] = [];
  const rows: string[] = [];
  let number = 0;
  const write = (kind: string, txn: string, minor: bigint, currency = 'BDT,,'): void => {
    number += 1;
    const payout = `SETTLE-${1_000 + random.between(0, 3)}`;
    rows.push(`${payout},${kind},L${number},${txn},${decimal(minor)},2026-11-03,${currency}`);
  };
  /** @param minor - in cents, though the payer paid in taka */
  const writeConverted = (kind: string, txn: string, minor: bigint): void => {
    write(kind, txn, minor, `USD,BDT,${RATE}`);
  };
  return {
    database,
    log: pino({ level: 'silent' }),
    query,
    rows,
    async pay() {
      const payment = await payPayment(database, scope);
      // The installation's own store.
      await query(`update payment_attempts set store_id = 'teststore'`);
      paid.push(payment);
      owed.push({ kind: 'CHARGE', txn: `B${payment.attemptReference}`, minor: NET_MINOR });
    },
    async payLate() {
      const payment = random.pick(paid);
      const known = await query(`select from unapplied_payments where attempt_id = ?::bigint`, [payment.attemptId]);
      if (known.length === 0) {
        await receiveLate(database, { ...payment, ...scope });
        owed.push({ kind: 'CHARGE', txn: `LB${payment.attemptReference}`, minor: NET_MINOR });
      }
    },
    async refund() {
      const payment = random.pick(paid);
      const amountMinor = BigInt(random.pick([1_000, 2_500]));
      await makeRefund(database, { ...payment, ...scope }, amountMinor).catch((error: unknown) => {
        // More than was paid.
        if (!String(error).includes('balance')) {
          throw error;
        }
      });
      owed.push({ kind: 'REFUND', txn: `B${payment.attemptReference}`, minor: -amountMinor });
    },
    payOut() {
      for (const { kind, txn, minor } of owed.splice(0, random.between(1, 6))) {
        const fault = random.pick([
          'none',
          'none',
          'none',
          'missing',
          'amount',
          'twice',
          'split',
          'equal rows',
          'converted',
          'converted and split',
          'converted at another rate',
          'converted without a rate',
        ] as const);
        switch (fault) {
          case 'none':
            write(kind, txn, minor);
            break;
          case 'missing':
            break;
          case 'amount':
            write(kind, txn, minor - 250n);
            break;
          case 'twice':
            write(kind, txn, minor);
            write(kind, txn, minor);
            break;
          case 'split':
            write(kind, txn, minor / 2n);
            write(kind, txn, minor - minor / 2n);
            break;
          case 'equal rows':
            write(kind, txn, minor);
            rows.push(rows.at(-1) ?? '');
            break;
          case 'converted':
            writeConverted(kind, txn, inDollars(minor));
            break;
          case 'converted and split':
            writeConverted(kind, txn, inDollars(minor) / 3n);
            writeConverted(kind, txn, inDollars(minor) - inDollars(minor) / 3n);
            break;
          case 'converted at another rate':
            writeConverted(kind, txn, inDollars(minor) + 10n);
            break;
          case 'converted without a rate':
            write(kind, txn, inDollars(minor), 'USD,,');
            break;
        }
      }
      const extra = random.pick(['none', 'FEE', 'TAX', 'RESERVE', 'CHARGE', 'REFUND', 'DISPUTE', 'its FEE'] as const);
      const charge = `B${random.pick(paid).attemptReference}`;
      if (extra === 'its FEE') {
        writeConverted('FEE', charge, -2n);
      } else if (extra !== 'none') {
        const txn = extra === 'DISPUTE' ? charge : extra === 'CHARGE' ? `X${number}` : '';
        write(extra, txn, extra === 'CHARGE' ? 500n : -500n);
      }
    },
    async receive() {
      await query(
        `update payouts set status = 'PAID', bank_minor = lines_minor - ?::bigint, needs_booking = true
         where id = (select id from payouts order by id offset ?::bigint limit 1)`,
        [BigInt(random.pick([0, 0, 100])), BigInt(random.between(0, 3))],
      );
    },
    async letTimePass() {
      await query(
        `update payments set ended_at = ended_at - interval '40 days', paid_at = paid_at - interval '40 days'
         where id = ?::bigint and ended_at > now() - interval '1 day'`,
        [random.pick(paid).paymentId],
      );
    },
    async decide() {
      const [accept, account] = [random.chance(0.6), random.pick(['fees', 'reserve', 'differences'] as const)];
      await query(
        `insert into reconciliation_case_entries (case_id, application_id, mode, kind, action, operator_id, currency, amount_minor, result_revision,
           account, needs_second, second_operator_id, seconded_at)
         select c.id, c.application_id, c.mode, 'action', case when ? then 'accept' else 'post-correction' end, ?::bigint, c.currency, c.amount_minor,
           r.revision, case when ? then null else ? end, true, ?::bigint, now()
         from reconciliation_cases c left join reconciliation_results r on r.id = c.result_id
         where c.state <> 'RESOLVED' and (? or r.line_id is not null) order by c.id offset ?::bigint limit 1`,
        [accept, people[0]?.id, accept, account, people[1]?.id, accept, BigInt(random.between(0, 3))],
      );
    },
    async upload({ from, to }) {
      const text = `payout,kind,id,txn,gross,day,currency,paid in,rate\n${rows.slice(from, to).join('\n')}\n`;
      const { reference } = await payouts.upload(text, { name: `rows ${from} to ${to}.csv` });
      return reference;
    },
    import: (reference, over) => payouts.import(reference, { rowsAtOnce: random.between(1, 4) }, over),
    async days() {
      const found = await query<{ at: Date | string }>(
        `select distinct date_trunc('hour', ended_at) as at from payments where ended_at is not null union select now()`,
      );
      return [...new Set(found.map(({ at }) => CALENDAR.today(new Date(at))))].toSorted();
    },
    books: () => readBooks(client),
    verify: async () => (await ledger.verify()).findings.map(({ check, table, what }) => `${check} ${table} ${what}`),
    damage: (sql) => ledger.asIntruder(sql),
    async close() {
      await client.end();
      await payouts.close();
      await ledger.close();
    },
  };
}

function decimal(minor: bigint): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(3, '0');
  return `${minor < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Rounded half up by magnitude. */
function inDollars(minor: bigint): bigint {
  const size = ((minor < 0n ? -minor : minor) * RATE_TEN_THOUSANDTHS + 5_000n) / 10_000n;
  return minor < 0n ? -size : size;
}
