import { setTimeout as sleep } from 'node:timers/promises';
import { workflowIds } from '../../workflows/messages/names.ts';
import type { FaultLog } from './fault-log.ts';
import type { RecordedSession } from './booked.ts';
import type { BookReader } from './gateway-books.ts';
import type { Errand } from './plan.ts';
import type { Owner } from './owner.ts';
import type { TimeLapse } from './time-lapse.ts';

export interface Settling {
  readonly owner: Owner;
  readonly lapse: TimeLapse;
  readonly books: BookReader;
  readonly log: FaultLog;
  /** Repairs every gateway session that would answer wrongly forever, including sessions opened only now. */
  readonly mendGateway: () => Promise<void>;
  /** Restarts the workers, as a deployment does. */
  readonly renewWorkers: () => Promise<void>;
  /** The prefix of the marks of the round's errands. */
  readonly prefix: string;
  /** Marks of manual payments for which operators were told that they are confirmed. */
  readonly confirmed: () => ReadonlySet<string>;
}

/** What was still open at the end of a phase. */
export interface Unsettled {
  readonly what: string;
  readonly waited: string;
}

/** Long enough for workers that are restarted on a busy machine. Only a round that fails takes it whole. */
const PHASE_TIMEOUT_MS = 180_000;
const LOOK_MS = 120;
const FIRST_LAPSE_MS = 200;
const LAPSE_MS = 500;
/** In a step this long a workflow goes through many pauses by itself, and is not advanced meanwhile. */
const LONG_STEP_MS = 72 * 3_600_000;
const LONG_LAPSE_MS = 2_000;
/** Increasing, like the product's own pauses, and all within the half hour after which a payment expires. */
const STEPS_MS = [20_000, 70_000, 310_000, 310_000] as const;
const PAST_EXPIRY_MS = 31 * 60_000;
/** After three days of queries without a plain answer from the gateway, the payment goes to review. */
const PAST_EXPIRY_STEPS_MS = [...Array.from({ length: 8 }, () => PAST_EXPIRY_MS), 73 * 3_600_000];
const RENEWED_AT: readonly number[] = [3, 6];
/** After this many steps everything that can expire has expired. */
const HOPED_FOR = 3;
/** The pauses between queries about a refund. */
const REFUND_STEPS_MS = [20_000, 70_000, 310_000, 16 * 60_000, 61 * 60_000] as const;
const DAY_MS = 24 * 3_600_000;
const PAST_APPROVAL_MS = 8 * DAY_MS;
const PAST_POLLING_MS = 31 * DAY_MS;
/** Beyond the third pause of the webhook schedule. */
const PAST_RETRY_MS = 40 * 60_000;

interface OpenPayment {
  readonly reference: string;
  readonly mark: string;
  readonly cancelling: boolean;
  /** Its payer has submitted a transaction, but no operator could be reached yet to decide on it. */
  readonly undecided: boolean;
  /** It has an order at bKash. */
  readonly bkash: boolean;
  /** Orders that its payer left for another gateway. */
  readonly left: readonly string[];
}

/**
 * Before anything expires, whatever the gateway has reported and whatever a payer has cancelled must end by itself. Payments without a word from the
 * gateway may stay open.
 */
export async function settleWhatIsKnown(settling: Settling): Promise<Unsettled[]> {
  return untilNone(settling, {
    what: 'a payment whose end the gateway has told',
    find: async () => {
      const { sessions } = await settling.books.read();
      const told = sessions.filter(isNotified);
      const confirmed = settling.confirmed();
      const sending = new Set(sessions.filter(({ unsent }) => unsent > 0).map(({ mark }) => mark));
      const open = await openPayments(settling);
      return open
        .filter(
          (payment) =>
            told.some((session) => tellsEnd(session, payment)) ||
            confirmed.has(payment.mark) ||
            (payment.cancelling && !payment.undecided) ||
            sending.has(payment.mark),
        )
        .map(({ reference }) => workflowIds.payment(reference));
    },
    stepsMs: STEPS_MS,
    renewAt: (lapses) => isRenewalOfUse(settling, lapses),
  });
}

/** Lets the half hour pass in which the other payments may still be paid, after which the gateway is queried one last time. */
export async function settleByExpiry(settling: Settling): Promise<Unsettled[]> {
  return untilNone(settling, {
    what: 'a payment that has expired',
    find: async () => (await openPayments(settling)).map(({ reference }) => workflowIds.payment(reference)),
    stepsMs: PAST_EXPIRY_STEPS_MS,
    isHopeless: () => isNeverSaid(settling),
    renewAt: (lapses) => isRenewalOfUse(settling, lapses),
  });
}

/** A worker caches bKash tokens for an hour by its own clock, which cannot be moved, so the workers are restarted. */
async function isRenewalOfUse(settling: Settling, lapses: number): Promise<boolean> {
  return RENEWED_AT.includes(lapses) && (await openPayments(settling)).some(({ bkash }) => bkash);
}

/**
 * Finds charges that a gateway reports to no one, for payments that have ended. Only another query finds them, so only the time until that query
 * passes.
 */
export async function settleUnseen(settling: Settling): Promise<Unsettled[]> {
  return untilNone(settling, {
    what: 'a charge of which nobody was told',
    find: () => unfound(settling),
    stepsMs: REFUND_STEPS_MS,
    pass: ({ lateQueries }) => lateQueries(),
  });
}

/** Brings refunds to their end: those in progress at the gateway, those that no one decides on, and those that the gateway never finishes. */
export async function settleRefunds(settling: Settling, errands: readonly Errand[]): Promise<Unsettled[]> {
  const silent = new Set(errands.flatMap(({ mark, script }) => (script === 'refund-silent' ? [mark] : [])));
  const idsOf = async (wanted: (refund: OpenRefund) => boolean): Promise<string[]> =>
    (await openRefunds(settling)).filter(wanted).map(({ reference }) => workflowIds.refund(reference));
  const isPending = ({ status }: OpenRefund): boolean => status === 'PENDING';
  return [
    ...(await untilNone(settling, {
      what: 'a refund or a decision',
      find: async () => [
        ...(await idsOf((refund) => isPending(refund) && !silent.has(refund.mark))),
        ...(await untaken(settling)),
      ],
      stepsMs: REFUND_STEPS_MS,
    })),
    ...(await untilNone(settling, {
      what: 'a refund that nobody approved',
      find: () => idsOf((refund) => !isPending(refund)),
      stepsMs: [PAST_APPROVAL_MS],
    })),
    ...(await untilNone(settling, {
      what: 'a refund that the gateway never finishes',
      find: () => idsOf(isPending),
      stepsMs: [PAST_POLLING_MS],
    })),
  ];
}

/** Returns refunds in review for which the gateway's records show that no money moved or can move. */
export async function idleReviews({ owner, books, prefix }: Settling): Promise<{ id: number; mark: string }[]> {
  const { refunds } = await books.read();
  const moving = new Set(refunds.filter(({ outcome }) => outcome !== 'cancelled').map(({ reference }) => reference));
  const rows = await owner.run<{ id: string; mark: string; reference: string }>(
    `select r.id::text, p.product_name as mark, r.reference from refunds r join payments p on p.id = r.payment_id
     where p.product_name like ? and r.status = 'PENDING' and r.review_reason is not null order by r.id`,
    [`${prefix}%`],
  );
  return rows.filter(({ reference }) => !moving.has(reference)).map(({ id, mark }) => ({ id: Number(id), mark }));
}

/** Waits until every callback has been processed, and every event has reached its receiver or been given up for a stated reason. */
export async function settleTheRest(settling: Settling): Promise<Unsettled[]> {
  return untilNone(settling, {
    what: 'an event or a callback',
    find: async () => [
      ...(await unsent(settling)),
      ...(await unread(settling)),
      ...(await untold(settling)),
      ...(await undelivered(settling)),
    ],
    stepsMs: [PAST_RETRY_MS],
  });
}

interface Phase {
  readonly what: string;
  /** Returns the ids of the workflows that are not done. */
  readonly find: () => Promise<string[]>;
  readonly stepsMs: readonly number[];
  readonly renewAt?: (lapses: number) => Promise<boolean>;
  /** Returns true if only the last step can still make a difference. */
  readonly isHopeless?: () => Promise<boolean>;
  /** Lets additional time pass. */
  readonly pass?: (lapse: TimeLapse) => Promise<void>;
}

async function untilNone(settling: Settling, phase: Phase): Promise<Unsettled[]> {
  const { what, find, stepsMs, renewAt, isHopeless, pass } = phase;
  const { lapse, log, mendGateway, renewWorkers } = settling;
  const begun = Date.now();
  let lapses = 0;
  let nextLapseAt = begun + FIRST_LAPSE_MS;
  for (;;) {
    const waiting = [...new Set(await find())];
    if (waiting.length === 0) {
      return [];
    }
    if (Date.now() - begun > PHASE_TIMEOUT_MS) {
      return waiting.map((waited) => ({ what, waited }));
    }
    if (Date.now() >= nextLapseAt) {
      const isLast = lapses >= HOPED_FOR && (await isHopeless?.()) === true;
      const stepMs = stepsMs[isLast ? stepsMs.length - 1 : Math.min(lapses, stepsMs.length - 1)] ?? 0;
      lapses += 1;
      log.note(`time passes (${stepMs / 1_000} s) for ${waiting.join(', ')}`);
      if ((await renewAt?.(lapses)) === true) {
        log.note('the workers are started anew');
        await renewWorkers();
      }
      await mendGateway();
      await pass?.(lapse).catch((error: unknown) => log.note(`time did not pass: ${String(error)}`));
      await letPass(lapse, { waiting, stepMs, log });
      nextLapseAt = Date.now() + (stepMs >= LONG_STEP_MS ? LONG_LAPSE_MS : LAPSE_MS);
    }
    await sleep(LOOK_MS);
  }
}

async function letPass(
  lapse: TimeLapse,
  { waiting, stepMs, log }: { waiting: readonly string[]; stepMs: number; log: FaultLog },
): Promise<void> {
  const failed = (error: unknown): void => log.note(`time did not pass: ${String(error)}`);
  await lapse.rows().catch(failed);
  await Promise.all(waiting.map((workflowId) => lapse.forward(workflowId, stepMs).catch(failed)));
}

function isNotified({ outcome, notified, unsent }: RecordedSession): boolean {
  return outcome !== null && notified.length > 0 && unsent === 0;
}

/** An outcome at a gateway that the payer has left does not end the payment, unless it was paid there. */
function tellsEnd({ mark, tranId, outcome }: RecordedSession, payment: OpenPayment): boolean {
  return mark === payment.mark && (outcome === 'VALID' || !payment.left.includes(tranId));
}

async function openPayments({ owner, prefix }: Settling): Promise<OpenPayment[]> {
  return owner.run<OpenPayment>(
    `select reference, product_name as mark, cancel_requested_at is not null as cancelling,
       exists (select from manual_submissions s where s.payment_id = payments.id
         and s.id = (select max(id) from manual_submissions where payment_id = payments.id)
         and not exists (select from decisions d
           where d.manual_submission_id = s.id and (not d.needs_second or d.second_operator_id is not null))) as undecided,
       exists (select from payment_attempts t where t.payment_id = payments.id and t.gateway = 'bkash') as bkash,
       (select coalesce(json_agg(t.reference), '[]') from payment_attempts t
         where t.payment_id = payments.id and t.superseded_at is not null) as "left" from payments
     where product_name like ? and status in ('CREATED', 'PENDING') and review_reason is null`,
    [`${prefix}%`],
  );
}

interface OpenRefund {
  readonly reference: string;
  readonly mark: string;
  readonly status: 'AWAITING_APPROVAL' | 'PENDING';
}

async function openRefunds({ owner, prefix }: Settling): Promise<OpenRefund[]> {
  return owner.run<OpenRefund>(
    `select r.reference, r.status, p.product_name as mark from refunds r join payments p on p.id = r.payment_id
     where p.product_name like ? and r.status in ('AWAITING_APPROVAL', 'PENDING') and r.review_reason is null`,
    [`${prefix}%`],
  );
}

/** Returns complete decisions that have not been carried out yet. */
async function untaken({ owner, prefix }: Settling): Promise<string[]> {
  const rows = await owner.run<{ refund: string | null; attempt: string | null }>(
    `select r.reference as refund, t.reference as attempt from decisions d join payments p on p.id = d.payment_id
     left join refunds r on r.id = d.refund_id left join unapplied_payments l on l.id = d.unapplied_payment_id
     left join payment_attempts t on t.id = l.attempt_id
     where p.product_name like ? and d.consumed_at is null and (not d.needs_second or d.second_operator_id is not null)`,
    [`${prefix}%`],
  );
  return rows.map(({ refund, attempt }) =>
    refund === null ? workflowIds.unappliedPayment(attempt ?? '') : workflowIds.refund(refund),
  );
}

/** Returns whether everything still open depends on an outcome that the gateway never reports. */
async function isNeverSaid(settling: Settling): Promise<boolean> {
  const { sessions } = await settling.books.read();
  const never = new Set(
    sessions.flatMap(({ gateway, outcome, outcomeIsSaid, mark }) =>
      gateway === 'nagad' && outcome !== null && !outcomeIsSaid ? [mark] : [],
    ),
  );
  return (await openPayments(settling)).every(({ mark }) => never.has(mark));
}

/** Returns charges at gateways without notices, for payments that have ended otherwise. */
async function unfound({ owner, books, prefix }: Settling): Promise<string[]> {
  const { charges } = await books.read();
  const rows = await owner.run<{ reference: string }>(
    `select t.reference from payment_attempts t join payments p on p.id = t.payment_id
     where t.reference = any(string_to_array(?, ' ')) and p.product_name like ? and t.status <> 'CONFIRMED'
       and p.status not in ('CREATED', 'PENDING') and not exists (select from unapplied_payments l where l.attempt_id = t.id)`,
    [charges.flatMap(({ gateway, tranId }) => (gateway === 'nagad' ? [tranId] : [])).join(' '), `${prefix}%`],
  );
  return rows.map(({ reference }) => workflowIds.unappliedPayment(reference));
}

/** The gateway keeps sending in real time; its courier is not a workflow that can be advanced. */
async function unsent({ books, prefix }: Settling): Promise<string[]> {
  const { sessions } = await books.read();
  return sessions
    .filter((session) => session.mark.startsWith(prefix) && session.unsent > 0)
    .map(({ tranId }) => `ipn of ${tranId}`);
}

/** Returns invoices whose workflow has not processed a change. Afterwards its next run is days away, or there is none. */
async function untold({ owner, prefix }: Settling): Promise<string[]> {
  const rows = await owner.run<{ reference: string }>(
    `select reference from invoices where customer_reference like ? and next_sweep_at < now() + interval '6 minutes'`,
    [`${prefix}%`],
  );
  return rows.map(({ reference }) => workflowIds.invoice(reference));
}

async function undelivered({ owner, prefix }: Settling): Promise<string[]> {
  const rows = await owner.run<{ event: string }>(
    `select e.event_id as event from webhook_events e left join payments p on p.id = e.payment_id
       left join invoices i on i.id = e.invoice_id
     where (p.product_name like ? or i.customer_reference like ?) and e.delivery_status in ('PENDING', 'RETRYING')`,
    [`${prefix}%`, `${prefix}%`],
  );
  return rows.map(({ event }) => workflowIds.webhook(event));
}

/** For a payment that has ended, the callback belongs to the unapplied payment's workflow. For a payment in review, it waits for the decision. */
async function unread({ owner, prefix }: Settling): Promise<string[]> {
  const rows = await owner.run<{ attempt: string; reference: string; open: boolean }>(
    `select t.reference as attempt, p.reference, p.status in ('CREATED', 'PENDING') as open
     from gateway_callbacks c join payments p on p.id = c.payment_id join payment_attempts t on t.id = c.attempt_id
     where p.product_name like ? and c.consumed_at is null
       and (p.review_reason is null or p.status not in ('CREATED', 'PENDING'))`,
    [`${prefix}%`],
  );
  return rows.map(({ attempt, reference, open }) =>
    open ? workflowIds.payment(reference) : workflowIds.unappliedPayment(attempt),
  );
}
