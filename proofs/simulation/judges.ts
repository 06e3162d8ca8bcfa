import { ATTEMPT_DELAYS_SECONDS } from '../../domain/webhook.ts';
import { canBecome, isOpen, isPaid, REVIEW_REJECTED } from '../../domain/payment.ts';
import { DELIVERY_JUDGES } from './delivery-judges.ts';
import type { Evidence } from './evidence.ts';
import { amountOf, attemptsOf, statusOf, sum, table, text, timeOf } from './evidence-rows.ts';
import type { Charge } from './gateway.ts';
import type { Values } from './postgres/values.ts';
import { INVOICE_JUDGES } from './invoice-judges.ts';
import { REFUND_JUDGES } from './refund-judges.ts';

export interface Violation {
  readonly judge: JudgeName;
  readonly what: string;
}

type Judge = (evidence: Evidence) => string[];

/** The invariants of a story. Each judge looks only at rows and outside logs, never only at what the product itself says. */
export const JUDGES = {
  'paid-by-an-agreeing-charge': paidByAnAgreeingCharge,
  'no-charge-lost': noChargeLost,
  'no-charge-booked-twice': noChargeBookedTwice,
  'books-agree': booksAgree,
  'one-event-per-ending': oneEventPerEnding,
  'unapplied-money-told': unappliedMoneyTold,
  'endings-are-final': endingsAreFinal,
  'one-order-per-payment': oneOrderPerPayment,
  'promises-to-clients-kept': promisesKept,
  'one-payment-per-key': onePaymentPerKey,
  'events-delivered': eventsDelivered,
  'webhook-schedule-kept': scheduleKept,
  'callbacks-taken-up': callbacksTakenUp,
  'evidence-before-signal': ({ unfounded }) =>
    unfounded.map((id) => `callback ${id} was signalled before it was stored`),
  'acknowledged-callbacks-kept': acknowledgedCallbacksKept,
  'payer-has-his-way': payerHasHisWay,
  'comes-to-rest': comesToRest,
  'no-workflow-left-behind': noWorkflowLeftBehind,
  'money-known-in-time': moneyKnownInTime,
  'no-false-alarm': noFalseAlarm,
  'no-storm': noStorm,
  ...DELIVERY_JUDGES,
  ...REFUND_JUDGES,
  ...INVOICE_JUDGES,
  'instruments-agree': ({ wrong }) => [...wrong],
} as const satisfies Record<string, Judge>;
export type JudgeName = keyof typeof JUDGES;

export function judge(evidence: Evidence): Violation[] {
  return (Object.keys(JUDGES) as JudgeName[]).flatMap((name) =>
    JUDGES[name](evidence).map((what) => ({ judge: name, what })),
  );
}

/** A payment is marked paid only if the gateway's own log has a charge that agrees with the order. */
function paidByAnAgreeingCharge(evidence: Evidence): string[] {
  return table(evidence, 'payments')
    .filter((payment) => isPaid(statusOf(payment)))
    .flatMap((payment) => {
      const confirmed = attemptsOf(evidence, payment).filter(({ status }) => status === 'CONFIRMED');
      const charge = evidence.charges.find(
        ({ tranId, valId }) => tranId === confirmed[0]?.['reference'] && valId === confirmed[0]['validation_id'],
      );
      const agrees = charge?.agrees === true || (charge?.risky === true && riskTaken(evidence, payment));
      return confirmed.length === 1 && agrees && charge.grossMinor === payment['amount_minor']
        ? []
        : [`${text(payment['reference'])} is paid without a charge of ${text(payment['amount_minor'])} that agrees`];
    });
}

/** Returns whether an operator accepted the payment. They may accept the gateway's risk flag, but no other difference. */
function riskTaken(evidence: Evidence, payment: Values): boolean {
  return table(evidence, 'decisions').some(
    ({ kind, decision, payment_id: id, outcome }) =>
      kind === 'review' && decision === 'accept' && id === payment['id'] && outcome === 'SUCCEEDED',
  );
}

/** A payer who cancels while the final status is being written is too late. */
const CALLED_OFF_FOR_MS = 60_000;

/** A payment that its payer cancelled does not expire early, even if its answer from the gateway had to be requested again. */
function payerHasHisWay(evidence: Evidence): string[] {
  return table(evidence, 'payments')
    .filter((payment) => statusOf(payment) === 'EXPIRED' && payment['cancel_requested_at'] instanceof Date)
    .filter((payment) => {
      const endedMs = timeOf(payment['ended_at']);
      const since = endedMs - timeOf(payment['cancel_requested_at']);
      return endedMs < timeOf(payment['expires_at']) && since > CALLED_OFF_FOR_MS;
    })
    .map((payment) => `${text(payment['reference'])} was called off by its payer, and expired before its time`);
}

/** Returns whether the money arrived when nothing asked for it, as opposed to an overpayment of an invoice. */
function isLate({ kind }: Values): boolean {
  return kind !== 'overpayment';
}

type Fate = 'settled' | 'held' | 'in review' | 'left to people' | 'lost';

/**
 * Returns what happened to a charge. While a payment is in review, all its charges wait for the decision. An unapplied payment whose confirmation
 * contradicts itself (another reference or currency) cannot be posted; it is enough that an alarm reported it.
 */
function fateOf(evidence: Evidence, charge: Charge): Fate {
  const attempt = table(evidence, 'payment_attempts').find(({ reference }) => reference === charge.tranId);
  const payment = table(evidence, 'payments').find(({ id }) => id === attempt?.['payment_id']);
  if (attempt === undefined || payment === undefined) {
    return 'lost';
  }
  const held = table(evidence, 'unapplied_payments').some(
    (late) => isLate(late) && late['attempt_id'] === attempt['id'] && late['validation_id'] === charge.valId,
  );
  if (held) {
    return 'held';
  }
  if (isPaid(statusOf(payment)) && attempt['validation_id'] === charge.valId) {
    return 'settled';
  }
  if (isOpen(statusOf(payment)) && payment['review_reason'] !== null) {
    return 'in review';
  }
  return !charge.agrees && evidence.leftToPeople.includes(charge.tranId) ? 'left to people' : 'lost';
}

function noChargeLost(evidence: Evidence): string[] {
  return evidence.charges
    .filter((charge) => fateOf(evidence, charge) === 'lost')
    .map(({ tranId, valId }) => `the charge ${valId} of ${tranId} is neither settled, nor held, nor under review`);
}

function noChargeBookedTwice(evidence: Evidence): string[] {
  const transactions = table(evidence, 'ledger_transactions');
  const doubles = evidence.charges.flatMap(({ tranId, valId }) => {
    const attempt = table(evidence, 'payment_attempts').find(({ reference }) => reference === tranId);
    const payment = table(evidence, 'payments').find(({ id }) => id === attempt?.['payment_id']);
    const posted = transactions.filter(
      ({ cause_id: cause, kind }) =>
        (kind === 'charge' && cause === payment?.['reference'] && attempt?.['validation_id'] === valId) ||
        (kind === 'unapplied' && cause === `${tranId}:${valId}`),
    );
    return posted.length > 1 ? [`the charge ${valId} of ${tranId} is posted ${posted.length} times`] : [];
  });
  const wanted = new Map<string, number>();
  for (const payment of table(evidence, 'payments')) {
    wanted.set(text(payment['reference']), isPaid(statusOf(payment)) ? 1 : 0);
  }
  for (const { kind, cause_id: cause } of transactions.filter((row) => row['kind'] === 'charge')) {
    wanted.set(text(cause), (wanted.get(text(cause)) ?? 0) - (kind === 'charge' ? 1 : 0));
  }
  const uneven = [...wanted].filter(([, missing]) => missing !== 0);
  return [
    ...doubles,
    ...uneven.map(([reference, missing]) => `${reference} misses ${missing} settlements in the ledger`),
  ];
}

/** Every posting has both sides, and the balances agree with the charges in the gateway's log. */
function booksAgree(evidence: Evidence): string[] {
  const balances = new Map<string, bigint>();
  const nameOf = new Map(table(evidence, 'ledger_accounts').map((row) => [row['id'], text(row['name'])]));
  let overall = 0n;
  for (const posting of table(evidence, 'ledger_postings')) {
    const amount = amountOf(posting);
    for (const [side, sign] of [
      ['debit_account_id', 1n],
      ['credit_account_id', -1n],
    ] as const) {
      const name = nameOf.get(posting[side] ?? null) ?? 'nowhere';
      balances.set(name, (balances.get(name) ?? 0n) + sign * amount);
      overall += sign * amount;
    }
  }
  const charged = (fate: Fate): bigint =>
    sum(evidence.charges.filter((charge) => fateOf(evidence, charge) === fate).map(({ grossMinor }) => grossMinor));
  const { refunded, lateRefunded, kept } = goneAgain(evidence);
  const overpayment = sum(table(evidence, 'payments').map((row) => (row['overpayment_minor'] ?? 0n) as bigint));
  const fees = evidence.charges
    .filter((charge) => ['settled', 'held'].includes(fateOf(evidence, charge)))
    .reduce((total, { feeMinor }) => total + feeMinor, 0n);
  const wanted: readonly (readonly [string, bigint])[] = [
    ['app:payable', refunded - charged('settled') + overpayment - kept],
    ['suspense', lateRefunded + kept - charged('held') - overpayment],
    ['gateway:fees', fees],
    ['gateway:sslcommerz:clearing', charged('settled') + charged('held') - fees - refunded - lateRefunded],
  ];
  return [
    ...(overall === 0n ? [] : [`the postings add up to ${overall}`]),
    ...(balances.has('nowhere') ? ['a posting names an account that does not exist'] : []),
    ...wanted
      .filter(([name, amount]) => (balances.get(name) ?? 0n) !== amount)
      .map(([name, amount]) => `${name} holds ${balances.get(name) ?? 0n}, the charges say ${amount}`),
  ];
}

/** Returns what was refunded according to the gateway's records, except for refunds whose outcome is still open in Lenden, and what apps may keep. */
function goneAgain(evidence: Evidence): { refunded: bigint; lateRefunded: bigint; kept: bigint } {
  const open = table(evidence, 'refunds').filter(({ status }) => status === 'PENDING');
  const back = (late: boolean): bigint =>
    sum(
      evidence.refunds
        .filter(({ ends, endsAtMs }) => ends === 'refunded' && endsAtMs <= evidence.endedMs)
        .filter(({ key }) => !open.some(({ reference }) => reference === key))
        .filter(({ key }) =>
          table(evidence, 'refunds').some(
            (row) => row['reference'] === key && (row['unapplied_payment_id'] !== null) === late,
          ),
        )
        .map(({ amountMinor }) => amountMinor),
    );
  const kept = table(evidence, 'unapplied_payments').filter(({ status }) => status === 'KEPT');
  return {
    refunded: back(false),
    lateRefunded: back(true),
    kept: sum(kept.map((row) => row['gross_minor'] as bigint)),
  };
}

function oneEventPerEnding(evidence: Evidence): string[] {
  return table(evidence, 'payments').flatMap((payment) => {
    const events = table(evidence, 'webhook_events')
      .filter(({ payment_id: id }) => id === payment['id'])
      .sort((a, b) => Number(a['sequence']) - Number(b['sequence']));
    const status = statusOf(payment);
    const end = isPaid(status) ? 'succeeded' : status.toLowerCase();
    const types = events.map(({ type }) => text(type));
    const own = types.filter((type) => type !== 'payment.refunded' && !/^(refund|unapplied_payment)\./.test(type));
    const told = isOpen(status) ? types.length === 0 : own.join() === `payment.${end}` && types[0] === own[0];
    const gapless = events.every(({ sequence }, index) => sequence === index + 1);
    return told && gapless && payment['event_sequence'] === events.length
      ? []
      : [`${text(payment['reference'])} is ${status} and has the events [${types.join(', ')}]`];
  });
}

function endingsAreFinal({ transitions }: Evidence): string[] {
  return transitions
    .filter(({ from, to }) => !canBecome(from, to))
    .map(({ paymentId, from, to }) => `payment ${paymentId} went from ${from} to ${to}`);
}

/** The gateway sees one order, however often its session is opened. */
function oneOrderPerPayment(evidence: Evidence): string[] {
  const known = new Map(
    table(evidence, 'payment_attempts').map((attempt) => [text(attempt['reference']), text(attempt['payment_id'])]),
  );
  const strangers = evidence.sessions.filter((tranId) => !known.has(tranId));
  const orders = Map.groupBy(evidence.sessions, (tranId) => known.get(tranId) ?? '');
  return [
    ...strangers.map((tranId) => `the gateway has an order ${tranId} that no attempt names`),
    ...[...orders]
      .filter(([, all]) => all.length > 1)
      .map(([id, all]) => `payment ${id} has ${all.length} orders at the gateway`),
  ];
}

function promisesKept(evidence: Evidence): string[] {
  return evidence.answers
    .filter(({ status }) => status === 201)
    .flatMap(({ reference, amountMinor, key }) => {
      const row = table(evidence, 'payments').find((payment) => payment['reference'] === reference);
      return row?.['amount_minor'] === BigInt(amountMinor)
        ? []
        : [`a client of ${key} was promised ${reference ?? 'nothing'} over ${amountMinor}, which is not stored`];
    });
}

function onePaymentPerKey(evidence: Evidence): string[] {
  // Payers on an invoice's page send no key.
  const keyed = table(evidence, 'payments').filter(({ customer_reference: key }) => text(key).startsWith('key-'));
  const rows = Map.groupBy(keyed, ({ customer_reference: key }) => text(key));
  const answers = Map.groupBy(
    evidence.answers.filter(({ reference }) => reference !== null),
    ({ key }) => key,
  );
  return [
    ...[...rows].filter(([, all]) => all.length > 1).map(([key, all]) => `${key} made ${all.length} payments`),
    ...[...answers]
      .filter(([, all]) => new Set(all.map(({ reference }) => reference)).size > 1)
      .map(([key]) => `${key} was answered with different payments`),
  ];
}

/** An unapplied payment has one event when it arrives, one each time its refund fails, and one when it is refunded or kept. */
function unappliedMoneyTold(evidence: Evidence): string[] {
  const told = table(evidence, 'webhook_events')
    .filter(({ type }) => text(type).startsWith('unapplied_payment.'))
    .map(({ type, payload }) => {
      const { data } = JSON.parse(text(payload)) as { data: { id: number } };
      return `${text(type)} ${data.id}`;
    });
  const wanted = table(evidence, 'unapplied_payments').flatMap(({ id, status }) => [
    `unapplied_payment.received ${text(id)}`,
    ...table(evidence, 'refunds')
      .filter((refund) => refund['unapplied_payment_id'] === id && refund['status'] === 'FAILED')
      .map(() => `unapplied_payment.received ${text(id)}`),
    ...(status === 'REFUNDED' || status === 'KEPT' ? [`unapplied_payment.${status.toLowerCase()} ${text(id)}`] : []),
  ]);
  const times = (lines: readonly string[], wantedLine: string): number =>
    lines.filter((line) => line === wantedLine).length;
  return [...new Set([...wanted, ...told])]
    .filter((line) => times(told, line) !== times(wanted, line))
    .map((line) => `"${line}" was told ${times(told, line)} times, not ${times(wanted, line)}`);
}

function eventsDelivered(evidence: Evidence): string[] {
  const byEvent = Map.groupBy(evidence.received, ({ eventId }) => eventId);
  const known = new Map(table(evidence, 'webhook_events').map((event) => [text(event['event_id']), event]));
  return [
    ...[...byEvent].flatMap(([eventId, all]) => {
      const event = known.get(eventId);
      const constant = all.every(({ body }) => body === event?.['payload']);
      return event !== undefined && constant ? [] : [`a receiver got ${eventId} with bytes that are not the event's`];
    }),
    ...[...known].flatMap(([eventId, event]) => {
      const taken = (byEvent.get(eventId) ?? []).some(({ status }) => status !== null && status >= 200 && status < 300);
      return event['delivery_status'] === 'DELIVERED' && !taken
        ? [`${eventId} counts as delivered, and nobody took it`]
        : [];
    }),
  ];
}

/** No request takes as long as a process may keep an event to itself, unless the process stands still. */
const LEASE_MS = 60_000;

/** An attempt reads its event before it begins to send. */
const READ_WITHIN_MS = 10_000;

/** An attempt's end may be recorded this much later: the statement is slow, or is sent again. */
const RECORDED_WITHIN_MS = 30_000;

/**
 * Returns whether an attempt was made again before its end was recorded, in the same place of the schedule: its process stood still until its event was
 * taken from it, or its workflow was terminated and the sweeper started another. Both are recorded as they end.
 */
function isMadeAgain(before: Values | undefined, attempt: Values, terminationsMs: readonly number[]): boolean {
  const beganMs = timeOf(before?.['created_at']);
  const endedMs = beganMs + Number(before?.['duration_ms']);
  const nextMs = timeOf(attempt['created_at']);
  const outlastedLease = nextMs >= beganMs + LEASE_MS && nextMs < endedMs + RECORDED_WITHIN_MS;
  const lostWorkflow = terminationsMs.some((atMs) => atMs >= beganMs - READ_WITHIN_MS && atMs <= nextMs);
  return outlastedLease || (lostWorkflow && nextMs < endedMs);
}

/** There are ten attempts over at least 72 hours, none too early, unless the endpoint is gone or disabled. */
function scheduleKept(evidence: Evidence): string[] {
  return table(evidence, 'webhook_events').flatMap((event) => {
    const attempts = table(evidence, 'webhook_attempts')
      .filter(({ webhook_event_id: id }) => id === event['id'])
      .sort((a, b) => timeOf(a['created_at']) - timeOf(b['created_at']));
    let position = 1;
    const early = attempts.slice(1).flatMap((attempt, index) => {
      const before = attempts[index];
      if (isMadeAgain(before, attempt, evidence.terminationsMs)) {
        return [];
      }
      const dueMs = timeOf(before?.['created_at']) + (ATTEMPT_DELAYS_SECONDS[position] ?? 0) * 1_000;
      position += 1;
      const earlyMs = dueMs - timeOf(attempt['created_at']);
      return earlyMs > evidence.clockToleranceMs
        ? [`attempt ${position} of ${text(event['event_id'])} came ${earlyMs} ms before its time`]
        : [];
    });
    const endpoint = table(evidence, 'webhook_endpoints').find(
      ({ application_id: id, mode }) => id === event['application_id'] && mode === event['mode'],
    );
    const excused = endpoint?.['url'] === null || endpoint?.['disabled_at'] !== null;
    const spanMs = timeOf(attempts.at(-1)?.['created_at']) - timeOf(attempts[0]?.['created_at']);
    const gaveUpEarly =
      event['delivery_status'] === 'PARKED' && !excused && (attempts.length < 10 || spanMs < 72 * 3_600_000);
    return gaveUpEarly
      ? [...early, `${text(event['event_id'])} was given up after ${attempts.length} attempts in ${spanMs} ms`]
      : early;
  });
}

/** A callback of a payment in review may wait for the operator's decision, like its money. */
function callbacksTakenUp(evidence: Evidence): string[] {
  const underReview = new Set(
    table(evidence, 'payments')
      .filter((payment) => isOpen(statusOf(payment)) && payment['review_reason'] !== null)
      .map(({ id }) => id),
  );
  return table(evidence, 'gateway_callbacks')
    .filter(({ payment_id: payment }) => payment !== null && !underReview.has(payment ?? null))
    .filter((row) => row['consumed_at'] === null || row['outcome'] === 'RECEIVED')
    .map((row) => `callback ${text(row['id'])} was stored and never taken up`);
}

/** Compares every byte, because a sender whose callback was acknowledged does not repeat it. */
function acknowledgedCallbacksKept(evidence: Evidence): string[] {
  const kept = new Set(
    table(evidence, 'gateway_callbacks').map(({ kind, raw_payload: body }) => `${text(kind)} ${text(body)}`),
  );
  return evidence.acknowledged
    .filter(({ kind, body }) => !kept.has(`${kind} ${body}`))
    .map(({ kind, body }) => `a callback (${kind}) was answered as taken and is not stored: ${body.slice(0, 80)}`);
}

function comesToRest({ atRest }: Evidence): string[] {
  return atRest ? [] : ['the story did not come to rest within 150 days'];
}

/**
 * Finds workflows of final rows. The workflow of an unapplied payment may run while the money is held or being refunded, or while people have to look
 * it up.
 */
function noWorkflowLeftBehind(evidence: Evidence): string[] {
  const { running, leftToPeople } = evidence;
  const references = (name: string, isOver: (row: Values) => boolean): string[] =>
    table(evidence, name)
      .filter(isOver)
      .map(({ reference }) => text(reference));
  const held = table(evidence, 'unapplied_payments').filter(
    ({ status }) => status === 'HELD' || status === 'REFUNDING',
  );
  const over = [
    ...references('payments', (row) => !isOpen(statusOf(row))).map((reference) => `payment:${reference}`),
    ...references('refunds', (row) => row['ended_at'] !== null).map((reference) => `refund:${reference}`),
    ...references('payment_attempts', ({ id }) => held.every((late) => late['attempt_id'] !== id))
      .filter((reference) => !leftToPeople.includes(reference))
      .map((reference) => `unapplied:${reference}`),
  ];
  return running
    .filter((workflowId) => over.includes(workflowId))
    .map((workflowId) => `${workflowId} was left running`);
}

/** Far below the 51,200 events at which a server terminates a run. A 72-hour outage with all its retries takes a third of this limit. */
const EVENTS_A_RUN_MAX = 2_000;

function noStorm({ histories }: Evidence): string[] {
  return histories
    .filter(({ events }) => events > EVENTS_A_RUN_MAX)
    .map(({ workflowId, events }) => `a history of ${workflowId} has ${events} events`);
}

/** Hours after the last fault, not days: the pauses between final queries and sweeps are an hour at most. */
const KNOWN_WITHIN_MS = 3 * 3_600_000;

function moneyKnownInTime(evidence: Evidence): string[] {
  return evidence.charges.flatMap((charge) => {
    const attempt = table(evidence, 'payment_attempts').find(({ reference }) => reference === charge.tranId);
    const payment = table(evidence, 'payments').find(({ id }) => id === attempt?.['payment_id']);
    const held = table(evidence, 'unapplied_payments').find(
      (late) => isLate(late) && late['attempt_id'] === attempt?.['id'] && late['validation_id'] === charge.valId,
    );
    const told = table(evidence, 'gateway_callbacks')
      .filter(({ attempt_id: id }) => id === attempt?.['id'])
      .map((row) => timeOf(row['created_at']));
    const knownMs = timeOf(held?.['created_at'] ?? payment?.['paid_at'] ?? payment?.['review_since'] ?? undefined);
    const startMs = Math.max(
      evidence.faultsEndedMs,
      charge.visibleFromMs,
      decidedMs(evidence, payment),
      held === undefined ? timeOf(payment?.['expires_at']) : Math.max(...told, 0),
    );
    return knownMs > startMs + KNOWN_WITHIN_MS
      ? [`the charge ${charge.valId} was known ${Math.round((knownMs - startMs) / 60_000)} minutes late`]
      : [];
  });
}

/** Returns when people decided on the payment, because money in review waits for that. */
function decidedMs(evidence: Evidence, payment: Values | undefined): number {
  const decisions = table(evidence, 'decisions').filter(
    ({ kind, payment_id: id }) => kind === 'review' && id === payment?.['id'],
  );
  const rejected = payment?.['failure_code'] === REVIEW_REJECTED;
  return Math.max(
    rejected ? timeOf(payment['ended_at']) : 0,
    ...decisions.map((row) => timeOf(row['seconded_at'] ?? row['created_at'])),
  );
}

/** Alarms that say that the database is older than its workflows. That is never true here, so they must not be raised. */
const NEVER_RAISED: ReadonlySet<string> = new Set([
  'payment-behind-workflow',
  'refund-behind-workflow',
  'webhook-event-unknown',
]);

function noFalseAlarm({ alerts }: Evidence): string[] {
  return alerts.filter((alert) => NEVER_RAISED.has(alert)).map((alert) => `the alarm ${alert} was raised`);
}
