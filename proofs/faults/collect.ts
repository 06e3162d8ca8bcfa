import { readEvidence } from '../../scripts/commands/read-evidence.ts';
import { sealingWitnesses } from '../../scripts/commands/sealing-witnesses.ts';
import { accountBalances } from '../../core/ledger/verify/balances.ts';
import { verifyLedger } from '../../core/ledger/verify/verify.ts';
import type { Database } from '../../database/connection.ts';
import { workflowIds } from '../../workflows/messages/names.ts';
import { paymentIn, paymentsIn, refundsIn, type Caller, type Tenant } from './application.ts';
import { invoiceIn, lookAtBills } from './bill-load.ts';
import type { Bill } from './bill-plan.ts';
import { readByHand } from './books/manual.ts';
import type { CanarySearch } from './canaries.ts';
import type { RecordedCharge } from './booked.ts';
import type {
  Account,
  AttemptName,
  Delivery,
  Evidence,
  ForeignRead,
  InvoiceDelivery,
  Posting,
  RefundName,
} from './evidence.ts';
import type { BookReader } from './gateway-books.ts';
import type { Histories, History } from './histories.ts';
import type { Answer, Journal } from './journal.ts';
import { lookAtSubmissions } from './manual-load.ts';
import type { Desks } from './operators.ts';
import type { Owner } from './owner.ts';
import { payoutEvidence } from './payout-evidence.ts';
import type { PaidOut } from './payout-load.ts';
import type { Errand } from './plan.ts';
import { isUndone, restoreEvidence, type Restored } from './restore.ts';
import type { Unsettled } from './settle.ts';

/** The sources of evidence for the whole run. */
export interface Sources {
  readonly tenants: readonly Tenant[];
  readonly database: Database;
  readonly owner: Owner;
  /** Without orders that were lost in a restore. */
  readonly books: BookReader;
  readonly allBooks: BookReader;
  readonly inboxes: readonly (() => Promise<Delivery[]>)[];
  /** All deliveries so far, because a second event may arrive late. */
  readonly delivered: Delivery[];
  readonly histories: Histories;
  readonly canaries: CanarySearch;
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly stores: Readonly<Record<'TEST' | 'LIVE', string>>;
}

export interface RoundSources extends Sources {
  readonly errands: readonly Errand[];
  readonly bills: readonly Bill[];
  readonly callers: readonly Caller[];
  readonly journal: Journal;
  readonly desks: Desks;
  readonly prefix: string;
  readonly unsettled: readonly Unsettled[];
  readonly restored: Restored | null;
  readonly paidOut: PaidOut;
}

export interface Collected {
  readonly evidence: Evidence;
  readonly histories: readonly History[];
}

const READ_TIMEOUT_MS = 15_000;
const TRIES = 4;

export async function collect(sources: RoundSources): Promise<Collected> {
  const { errands, tenants, prefix, journal, unsettled } = sources;
  await lastLooks(sources);
  await lookAtBills(sources, sources.bills, journal.answers);
  await lookByHand(sources);
  const foreignReads = await readForeign(sources);
  await readInboxes(sources);
  const { restored } = sources;
  // Includes lost charges, because these determine whether each lost charge was reported.
  const lostCharges = restored === null ? [] : (await sources.allBooks.read()).charges;
  const booked = await sources.books.read();
  const byHand = readByHand(journal.answers);
  const sessions = [...booked.sessions, ...byHand.sessions];
  const charges = [...booked.charges, ...byHand.charges];
  const { refunds } = booked;
  const attempts = await attemptsOf(sources);
  const own = sessions.filter(({ mark }) => mark.startsWith(prefix));
  const orders = new Set(own.map(({ tranId }) => tranId));
  const histories = await sources.histories.read(await workflowsOf(sources));
  const seen = await sources.canaries.search(
    histories.map(({ evidence: { id }, json }) => ({ place: `the history of ${id}`, text: json })),
  );
  const witnesses = await sealingWitnesses({ ...sources.temporal, all: false });
  const verified = await verifyLedger(sources.database, { readEvidence, witnesses });
  return {
    histories,
    evidence: {
      errands,
      apps: tenants.map(({ index, receiver, mode, thresholdMinor }) => ({
        index,
        receiver,
        store: sources.stores[mode],
        thresholdMinor,
      })),
      answers: journal.answers.filter(({ answeredAtMs }) => restored === null || !isUndone(restored, answeredAtMs)),
      sessions: own,
      charges: charges.filter(({ tranId }) => orders.has(tranId)),
      strays: await straysOf(sources, charges),
      attempts,
      refunded: refunds.filter(({ tranId }) => orders.has(tranId)),
      refundNames: await refundNames(sources),
      bills: sources.bills,
      overpayments: await overpaymentsOf(sources),
      numbers: await numbersOf(sources),
      keptNotices: [...(await keptNotices(sources)), ...(restored?.notices ?? [])],
      deliveries: deliveriesOf(sources).filter(({ id }) => restored?.events.has(id) !== true),
      ownpayDeliveries: ownpayDeliveriesOf(sources),
      invoiceDeliveries: invoiceDeliveriesOf(sources),
      postings: await postingsOf(sources),
      accounts: await accountsOf(sources),
      unsettled,
      workflows: histories.map(({ evidence }) => evidence),
      foreignReads,
      canaries: seen.found,
      searched: seen.searched,
      restored: restored === null ? null : await restoreEvidence(sources.owner, restored, lostCharges),
      findings: verified.findings.map((finding) => JSON.stringify(finding)),
      proved: verified.paidPayments + verified.unappliedPayments + verified.refunds,
      payouts: await payoutEvidence(sources.owner, sources.paidOut),
    },
  };
}

/** Reads each errand's payments and refunds from both APIs at the end. */
async function lastLooks({ errands, callers }: RoundSources): Promise<void> {
  await Promise.all(
    errands.flatMap((errand) =>
      ([0, 1] as const).map(async (api) => {
        const options = { api, timeoutMs: READ_TIMEOUT_MS } as const;
        const caller = callers[errand.app];
        const list = await untilRead(() => caller?.list(errand, { ...options, kind: 'list' }));
        for (const { id } of (list === null ? null : paymentsIn(list)) ?? []) {
          await untilRead(() => caller?.refunds(errand, id, { ...options, kind: 'refund-list' }));
        }
      }),
    ),
  );
}

/** Reads the payers' submissions as operators see them at the end. */
async function lookByHand({ errands, desks, journal }: RoundSources): Promise<void> {
  await Promise.all(
    errands.map(async (errand) => {
      const own = journal.answers.filter(({ mark }) => mark === errand.mark);
      const paymentId = own.flatMap((answer) => paymentIn(answer)?.id ?? paymentsIn(answer)?.[0]?.id ?? [])[0];
      if (errand.visits.includes('manual') && paymentId !== undefined) {
        await lookAtSubmissions(desks.admin, errand, paymentId);
      }
    }),
  );
}

async function untilRead(look: () => Promise<Answer> | undefined): Promise<Answer | null> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const answer = await look();
    if (answer?.status === 200) {
      return answer;
    }
  }
  return null;
}

/** Each application asks for one payment of every other application. */
async function readForeign({ errands, callers, journal, tenants }: RoundSources): Promise<ForeignRead[]> {
  const known = new Map<number, { errand: Errand; id: number }>();
  const refunds = new Map<number, number>();
  for (const answer of journal.answers) {
    const errand = errands.find(({ mark }) => mark === answer.mark);
    const id = paymentIn(answer)?.id ?? paymentsIn(answer)?.[0]?.id;
    if (errand !== undefined && id !== undefined) {
      known.set(errand.app, { errand, id });
    }
    const refundId = refundsIn(answer)?.[0]?.id;
    if (refundId !== undefined) {
      refunds.set(answer.app, refundId);
    }
  }
  const options = { api: 0, kind: 'foreign-read', timeoutMs: READ_TIMEOUT_MS } as const;
  const reads = tenants.flatMap(({ index }) =>
    [...known]
      .filter(([app]) => app !== index)
      .flatMap(([app, { errand, id }]) => {
        const own = { ...errand, app: index };
        const refundId = refunds.get(app);
        const read = async (of: string, asked: Promise<Answer> | undefined): Promise<ForeignRead> => ({
          by: `application ${index}`,
          of: `${of} of application ${app}`,
          status: (await asked)?.status ?? null,
        });
        return [
          read(`payment ${id}`, callers[index]?.read(own, id, options)),
          ...(refundId === undefined
            ? []
            : [read(`refund ${refundId}`, callers[index]?.readRefund(own, refundId, options))]),
        ];
      }),
  );
  return Promise.all(reads);
}

async function workflowsOf({ owner, prefix }: RoundSources): Promise<string[]> {
  const rows = await owner.run<{
    reference: string;
    attempt: string | null;
    event: string | null;
    refund: string | null;
  }>(
    `select p.reference, t.reference as attempt, e.event_id as event, r.reference as refund from payments p
     left join payment_attempts t on t.payment_id = p.id left join webhook_events e on e.payment_id = p.id
     left join refunds r on r.payment_id = p.id where p.product_name like ?`,
    [`${prefix}%`],
  );
  const invoices = await owner.run<{ reference: string; event: string | null }>(
    `select i.reference, e.event_id as event from invoices i left join webhook_events e on e.invoice_id = i.id
     where i.customer_reference like ?`,
    [`${prefix}%`],
  );
  return [
    ...new Set([
      ...invoices.flatMap(({ reference, event }) => [
        workflowIds.invoice(reference),
        ...(event === null ? [] : [workflowIds.webhook(event)]),
      ]),
      ...rows.flatMap(({ reference, attempt, event, refund }) => [
        workflowIds.payment(reference),
        ...(attempt === null ? [] : [workflowIds.unappliedPayment(attempt)]),
        ...(event === null ? [] : [workflowIds.webhook(event)]),
        ...(refund === null ? [] : [workflowIds.refund(refund)]),
      ]),
    ]),
  ];
}

async function readInboxes({ inboxes, delivered }: RoundSources): Promise<void> {
  for (const inbox of inboxes) {
    delivered.push(...(await inbox()));
  }
}

function deliveriesOf({ delivered, journal }: RoundSources): Delivery[] {
  const own = new Set(
    journal.answers
      .flatMap((answer) => [paymentIn(answer), ...(paymentsIn(answer) ?? [])])
      .map((payment) => payment?.id),
  );
  return delivered.filter(({ paymentId }) => paymentId !== null && own.has(paymentId));
}

function ownpayDeliveriesOf({ delivered, journal }: RoundSources): Delivery[] {
  const own = new Set(journal.answers.flatMap((answer) => paymentsIn(answer) ?? []).map(({ reference }) => reference));
  return delivered.filter(({ contract, reference }) => contract === 'ownpay' && own.has(reference));
}

function invoiceDeliveriesOf({ delivered, journal, bills }: RoundSources): InvoiceDelivery[] {
  const marks = new Set(bills.map(({ mark }) => mark));
  const own = new Set(journal.answers.filter(({ mark }) => marks.has(mark)).map((answer) => invoiceIn(answer)?.id));
  return delivered.flatMap(({ id, type, invoiceId, sequence = 0, noticed = null, signatureValid, body }) =>
    invoiceId !== undefined && own.has(invoiceId)
      ? [{ id, type, invoiceId, sequence, noticed, signatureValid, body }]
      : [],
  );
}

async function overpaymentsOf({ owner, prefix }: RoundSources): Promise<Evidence['overpayments']> {
  return owner.run<{ mark: string; minor: string }>(
    `select p.product_name as mark, sum(l.amount_minor)::text as minor from ledger_transactions x
     join payments p on x.cause_type = 'payment' and x.cause_id = p.reference
     join ledger_postings l on l.transaction_id = x.id join ledger_accounts c on c.id = l.credit_account_id
     where x.kind = 'charge' and c.name = 'suspense' and p.product_name like ? group by 1`,
    [`${prefix}%`],
  );
}

async function numbersOf({ owner, tenants }: RoundSources): Promise<Evidence['numbers']> {
  const rows = await owner.run<{ app: string; number: string }>(
    'select application_id::text as app, number::text from invoices where number is not null',
    [],
  );
  return tenants.map(({ index, registration }) => ({
    app: index,
    numbers: rows.filter(({ app }) => app === String(registration.applicationId)).map(({ number }) => Number(number)),
  }));
}

async function refundNames({ owner, prefix }: RoundSources): Promise<RefundName[]> {
  const rows = await owner.run<{ id: string; reference: string; gateway: string; mark: string; late: string | null }>(
    `select r.id::text, r.reference, r.gateway, p.product_name as mark, r.unapplied_payment_id::text as late
     from refunds r join payments p on p.id = r.payment_id where p.product_name like ?`,
    [`${prefix}%`],
  );
  return rows.map(({ id, late, ...name }) => ({
    ...name,
    id: Number(id),
    unappliedPaymentId: late === null ? null : Number(late),
  }));
}

/** Includes notices without a payment, because a gateway may name a wrong order. */
async function keptNotices({ owner, prefix }: RoundSources): Promise<string[]> {
  const rows = await owner.run<{ digest: string; bytes: string }>(
    `select encode(c.digest, 'hex') as digest, encode(sha256(convert_to(c.raw_payload, 'UTF8')), 'hex') as bytes
     from gateway_callbacks c left join payments p on p.id = c.payment_id
     where c.kind = 'ipn' and (c.payment_id is null or p.product_name like ?)`,
    [`${prefix}%`],
  );
  // A gateway's records identify a notice by its id or by its bytes.
  return rows.flatMap(({ digest, bytes }) => [digest, bytes]);
}

async function postingsOf({ owner, prefix }: RoundSources): Promise<Posting[]> {
  return owner.run<Posting>(
    `select x.cause_type as "causeType", x.cause_id as "causeId", x.kind, p.product_name as mark,
       (select min(split_part(d.name, ':', 2)) from ledger_postings l
         join ledger_accounts d on d.id in (l.debit_account_id, l.credit_account_id)
         where l.transaction_id = x.id and d.name like 'gateway:%:clearing') as gateway,
       coalesce((select sum(l.amount_minor) from ledger_postings l
         join ledger_accounts d on d.id = case when x.cause_type = 'refund' then l.credit_account_id else l.debit_account_id end
         where l.transaction_id = x.id and d.name like 'gateway:%:clearing'), 0)::text as "grossMinor"
     from ledger_transactions x
     join payments p on (x.cause_type = 'payment' and x.cause_id = p.reference)
       or (x.cause_type = 'unapplied-payment' and exists (
         select from payment_attempts t where t.payment_id = p.id and x.cause_id like t.reference || ':%'))
       or (x.cause_type = 'refund' and exists (select from refunds r where r.payment_id = p.id and x.cause_id = r.reference))
     where p.product_name like ?`,
    [`${prefix}%`],
  );
}

async function attemptsOf({ owner, prefix }: RoundSources): Promise<AttemptName[]> {
  return owner.run<AttemptName>(
    `select t.reference, t.gateway, p.product_name as mark from payment_attempts t join payments p on p.id = t.payment_id
     where p.product_name like ?`,
    [`${prefix}%`],
  );
}

async function straysOf({ owner }: RoundSources, charges: readonly RecordedCharge[]): Promise<RecordedCharge[]> {
  const rows = await owner.run<{ reference: string; gateway: string }>(
    `select reference, gateway from payment_attempts where reference = any(string_to_array(?, ' '))`,
    [charges.map(({ tranId }) => tranId).join(' ')],
  );
  const known = new Set(rows.map(({ reference, gateway }) => `${gateway} ${reference}`));
  return charges.filter(({ gateway, tranId }) => !known.has(`${gateway} ${tranId}`));
}

async function accountsOf({ owner, database }: RoundSources): Promise<Account[]> {
  const sums = await owner.run<Omit<Account, 'statedMinor'> & { key: string }>(
    `select a.application_id || ' ' || a.mode || ' ' || a.currency || ' ' || a.name as key, a.name as account, a.currency,
       a.normal_side as "normalSide",
       coalesce(sum(l.amount_minor) filter (where l.debit_account_id = a.id), 0)::text as "debitsMinor",
       coalesce(sum(l.amount_minor) filter (where l.credit_account_id = a.id), 0)::text as "creditsMinor"
     from ledger_accounts a left join ledger_postings l on a.id in (l.debit_account_id, l.credit_account_id)
     group by a.id order by a.id`,
  );
  const stated = new Map(
    (await database.withSystem((em) => accountBalances(em))).map((balance) => [
      `${balance.applicationId} ${balance.mode} ${balance.currency} ${balance.account}`,
      balance.balanceMinor.toString(),
    ]),
  );
  return sums.map(({ key, ...sum }) => ({ ...sum, statedMinor: stated.get(key) ?? 'nothing' }));
}
