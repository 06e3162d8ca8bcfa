import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { parseJson, paymentIn, refundsIn, type Caller } from './application.ts';
import { UNSEEN_ACTS } from './dials.ts';
import type { FaultLog } from './fault-log.ts';
import type { Answer, DeskCall } from './journal.ts';
import { errorCodeOf, isHeard, type Desk, type Desks } from './operators.ts';
import type { Errand } from './plan.ts';
import { appRefundsOf, operatorRefundOf, type AppRefund } from './refund-plan.ts';

const TIMEOUT_MS = 4_000;
const AGAIN_MS = 250;
const PAID: ReadonlySet<string> = new Set(['SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED']);

/** What refunding needs during the whole round. */
export interface Refunds {
  readonly callers: readonly Caller[];
  readonly desks: Desks;
  readonly log: FaultLog;
  /** Marks whose refunds have been started, so that they are not started twice. */
  readonly begun: Set<string>;
}

export interface Refunding {
  readonly errand: Errand;
  readonly paymentId: number;
  /** True when no one waits any more for the payment, or for an unapplied payment. */
  readonly over: () => boolean;
  /** True when everyone who still tries gives up. */
  readonly closed: () => boolean;
}

/** Waits until the application sees its payment as paid, then refunds it as the errand says. */
export async function refundWhenPaid(refunds: Refunds, refunding: Refunding): Promise<void> {
  const { errand } = refunding;
  if (errand.refund === null || refunds.begun.has(errand.mark) || !(await isPaid(refunds, refunding))) {
    return;
  }
  refunds.begun.add(errand.mark);
  await Promise.all([byApplication(refunds, refunding), byOperators(refunds, refunding)]);
}

/** Returns false if the payment ended otherwise, or if the wait is over. */
async function isPaid({ callers }: Refunds, { errand, paymentId, over }: Refunding): Promise<boolean> {
  for (let reads = 0; ; reads += 1) {
    const api = (errand.firstApi + reads) % 2 === 0 ? 0 : 1;
    const answer = await callers[errand.app]?.read(errand, paymentId, { api, kind: 'read', timeoutMs: TIMEOUT_MS });
    const payment = answer === undefined || answer.status !== 200 ? null : paymentIn(answer);
    if (payment !== null && (payment.status !== 'PENDING' || payment.review !== null)) {
      return PAID.has(payment.status);
    }
    if (over()) {
      return false;
    }
    await sleep(AGAIN_MS);
  }
}

async function byApplication(refunds: Refunds, refunding: Refunding): Promise<void> {
  const { errand } = refunding;
  const wanted = appRefundsOf(errand);
  if (errand.refund === 'rush') {
    await Promise.all(wanted.map((refund, index) => askFor(refunds, refunding, { refund, index })));
    return;
  }
  for (const [index, refund] of wanted.entries()) {
    await askFor(refunds, refunding, { refund, index });
  }
}

interface Asked {
  readonly refund: AppRefund;
  readonly index: number;
}

/**
 * Requests a refund as a client that keeps its key until it is answered, and repeats the request: at once at the other API, later, and with another
 * body.
 */
async function askFor(
  { callers }: Refunds,
  { errand, paymentId, closed }: Refunding,
  { refund, index }: Asked,
): Promise<void> {
  const caller = callers[errand.app];
  const ask = (api: 0 | 1, kind: Answer['kind']): Promise<Answer> | undefined =>
    caller?.refund(errand, { ...refund, paymentId }, { api, kind, timeoutMs: TIMEOUT_MS });
  const first = (errand.firstApi + index) % 2 === 0 ? 0 : 1;
  const other = first === 0 ? 1 : 0;
  const duplicate = index === 0 && errand.refund !== 'too-much' ? ask(other, 'refund-repeat') : undefined;
  let answer: Answer | undefined;
  for (let tries = 0; answer === undefined || !isFinalAnswer(answer); tries += 1) {
    if (tries > 0) {
      await sleep(AGAIN_MS);
    }
    answer = await ask(tries % 2 === 0 ? first : other, tries === 0 ? 'refund' : 'refund-repeat');
    if (closed()) {
      break;
    }
  }
  await duplicate;
  if (answer?.status === 201 && (errand.refund === 'part' || errand.refund === 'whole')) {
    await ask(other, errand.refund === 'part' ? 'refund-repeat' : 'refund-other-body');
  }
}

/** Returns whether a client that kept its key can stop. For a payment that was seen as paid, only the balance justifies a refusal. */
export function isFinalAnswer(answer: Pick<Answer, 'status' | 'text'>): boolean {
  return answer.status === 201 || (answer.status === 409 && errorCodeOf(answer) === 'REFUND_EXCEEDS_BALANCE');
}

async function byOperators({ desks, log }: Refunds, refunding: Refunding): Promise<void> {
  const { errand } = refunding;
  const wanted = operatorRefundOf(errand);
  const starter = errand.refund === 'own-word' ? desks.admin : desks.support;
  const refundId = wanted === null ? null : await start(starter, refunding, wanted);
  if (refundId === null) {
    return;
  }
  const say = (desk: Desk, kind: 'approve' | 'reject'): Promise<Answer | null> =>
    decide(desk, refunding, {
      kind,
      path: `/admin/refunds/${refundId}/${kind}`,
      subjectId: refundId,
      ...(kind === 'reject' ? { body: { reason: 'paid in cash' } } : {}),
    });
  switch (errand.refund) {
    case 'rejected':
      await say(desks.finance, 'reject');
      return;
    case 'own-word':
      await say(starter, 'approve');
      await say(desks.finance, 'approve');
      return;
    case 'approved-at-once':
      await Promise.all([desks.finance, desks.second, desks.admin].map((desk) => say(desk, 'approve')));
      return;
    case 'approved':
    case 'mixed':
      await say(desks.finance, 'approve');
      await say(desks.second, 'approve');
      return;
    default:
      log.note(`the refund ${refundId} of ${errand.mark} is left undecided`);
  }
}

/** An operator sends no key. If the answer was lost, the operator first checks whether the refund exists. */
async function start(desk: Desk, { errand, paymentId, closed }: Refunding, wanted: AppRefund): Promise<number | null> {
  const { key, amountMinor } = wanted;
  for (let tries = 0; ; tries += 1) {
    const api = tries % 2 === 0 ? errand.firstApi : 0;
    const made = await desk.ask(errand, api, {
      kind: 'desk-refund',
      method: 'POST',
      path: `/admin/payments/${paymentId}/refunds`,
      body: { amountMinor, reason: key },
      subjectId: null,
      refund: key,
    });
    if (made.status === 201) {
      return refundsIn(made)?.[0]?.id ?? null;
    }
    if (isHeard(made)) {
      return null;
    }
    for (;;) {
      if (closed()) {
        return null;
      }
      await sleep(AGAIN_MS);
      const look = await desk.ask(errand, api === 0 ? 1 : 0, {
        kind: 'desk-look',
        method: 'GET',
        path: `/admin/refunds?paymentId=${paymentId}`,
        subjectId: null,
      });
      const found = look.status === 200 ? (refundsIn(look) ?? []) : null;
      const own = found?.find(({ reason }) => reason === key);
      if (own !== undefined) {
        return own.id;
      }
      if (found !== null) {
        break;
      }
    }
  }
}

interface Decision {
  readonly kind: DeskCall;
  readonly path: string;
  readonly subjectId: number;
  readonly body?: object;
}

/** Sends a decision until it is accepted or refused. */
async function decide(desk: Desk, { errand, closed }: Refunding, decision: Decision): Promise<Answer | null> {
  for (let tries = 0; ; tries += 1) {
    const api = (errand.firstApi + tries) % 2 === 0 ? 0 : 1;
    const answer = await desk.ask(errand, api, { ...decision, method: 'POST' });
    if (isHeard(answer)) {
      return answer;
    }
    if (closed()) {
      return null;
    }
    await sleep(AGAIN_MS);
  }
}

const PAYS_LATE: ReadonlySet<string> = new Set(['cancel-then-pay', ...UNSEEN_ACTS]);
const UnappliedPayments = z.object({ data: z.array(z.object({ id: z.int(), status: z.string() })) });

/** Two people decide on the errand's unapplied payment as the errand says. */
export async function decideUnappliedMoney({ desks }: Refunds, refunding: Refunding): Promise<void> {
  const { errand, paymentId, over } = refunding;
  if (!PAYS_LATE.has(errand.act) || errand.late === 'policy') {
    return;
  }
  for (;;) {
    const look = await desks.finance.ask(errand, errand.firstApi, {
      kind: 'desk-look',
      method: 'GET',
      path: `/admin/unapplied-payments?paymentId=${paymentId}`,
      subjectId: null,
    });
    const found = UnappliedPayments.safeParse(parseJson(look.text));
    const held = found.success ? found.data.data.filter(({ status }) => status === 'HELD') : [];
    if (found.success && found.data.data.length > 0) {
      for (const { id } of held) {
        await Promise.all(
          [desks.finance, desks.second].map((desk) =>
            decide(desk, refunding, {
              kind: errand.late === 'keep' ? 'late-keep' : 'late-refund',
              path: `/admin/unapplied-payments/${id}`,
              subjectId: id,
              body: { decision: errand.late, reason: 'decided by two' },
            }),
          ),
        );
      }
      return;
    }
    if (over()) {
      return;
    }
    await sleep(AGAIN_MS);
  }
}

/** Every client that requested a refund repeats the request at both APIs, and must now get the refund regardless of earlier answers. */
export async function repeatRefunds(
  { callers }: Refunds,
  { errand, paymentId, closed }: Refunding,
  asked: ReadonlySet<string>,
): Promise<void> {
  for (const refund of appRefundsOf(errand).filter(({ key }) => asked.has(key))) {
    for (const api of [0, 1] as const) {
      const options = { api, kind: 'refund-repeat', timeoutMs: TIMEOUT_MS } as const;
      const ask = () => callers[errand.app]?.refund(errand, { ...refund, paymentId }, options);
      for (
        let answer = await ask();
        answer !== undefined && !isFinalAnswer(answer) && !closed();
        answer = await ask()
      ) {
        await sleep(AGAIN_MS);
      }
    }
  }
}

/** Two people have checked the gateway's panel and report that no money moved, which ends a refund in review. */
export async function endReview({ desks }: Refunds, refunding: Refunding, refundId: number): Promise<void> {
  for (const desk of [desks.finance, desks.second]) {
    await decide(desk, refunding, {
      kind: 'unrefunded',
      path: `/admin/refunds/${refundId}/review`,
      subjectId: refundId,
      body: { decision: 'not-refunded', reason: "seen in the gateway's panel" },
    });
  }
}
