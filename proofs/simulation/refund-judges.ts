import { APPROVAL_HOURS } from '../../domain/refund.ts';
import type { Evidence } from './evidence.ts';
import { amountOf, paymentWith, statusOf, sum, table, text, timeOf } from './evidence-rows.ts';
import type { RecordedRefund } from './gateway-refunds.ts';
import type { Values } from './postgres/values.ts';

type Judge = (evidence: Evidence) => string[];

/** The invariants of refunds, checked against the gateway's records, the operators' own acts and the rows. */
export const REFUND_JUDGES = {
  'never-more-back-than-taken': neverMoreBackThanTaken,
  'reservation-kept': ({ overReserved }) => [...overReserved],
  'refused-only-what-is-too-much': ({ wronglyRefused }) => [...wronglyRefused],
  'refund-asked-as-stored': askedAsStored,
  'refund-ends-as-the-gateway-says': endsAsTheGatewaySays,
  'refund-ends-are-final': refundEndsAreFinal,
  'refund-comes-to-an-end': comesToAnEnd,
  'refund-known-in-time': knownInTime,
  'payment-shows-what-went-back': paymentShowsWhatWentBack,
  'refund-posted-once': postedOnce,
  'one-event-per-refund': oneEventPerRefund,
  'decided-by-people': decidedByPeople,
  'decisions-taken-up': decisionsTakenUp,
  'unapplied-money-in-one-place': unappliedMoneyInOnePlace,
  'promises-about-refunds-kept': promisesKept,
  'one-refund-per-key': oneRefundPerKey,
} as const satisfies Record<string, Judge>;

function bookedOf(evidence: Evidence, refund: Values): RecordedRefund | undefined {
  return evidence.refunds.find(({ key }) => key === refund['reference']);
}

/** Holds at every moment: a refund in progress counts until the gateway ends it without refunding. */
function neverMoreBackThanTaken({ charges, refunds }: Evidence): string[] {
  return refunds.flatMap(({ bankTranId, acceptedAtMs }) => {
    const live = refunds.filter(
      (other) =>
        other.bankTranId === bankTranId &&
        other.acceptedAtMs <= acceptedAtMs &&
        (other.ends === 'refunded' || other.endsAtMs > acceptedAtMs),
    );
    const back = sum(live.map(({ amountMinor }) => amountMinor));
    const taken = sum(charges.filter((charge) => charge.bankTranId === bankTranId).map(({ grossMinor }) => grossMinor));
    return back > taken ? [`the gateway gives back ${back} of ${taken} that it took with ${bankTranId}`] : [];
  });
}

/** The gateway has each refund once, under its reference, with the stored amount and charge. */
function askedAsStored(evidence: Evidence): string[] {
  return evidence.refunds.flatMap(({ key, bankTranId, amountMinor }) => {
    const refund = table(evidence, 'refunds').find(({ reference }) => reference === key);
    const same = refund?.['gateway_txn_id'] === bankTranId && amountOf(refund) === amountMinor;
    const once = evidence.refunds.filter((other) => other.key === key).length === 1;
    return same && once ? [] : [`the gateway has a refund ${key} of ${amountMinor} that is not stored so`];
  });
}

function endsAsTheGatewaySays(evidence: Evidence): string[] {
  return table(evidence, 'refunds').flatMap((refund) => {
    const booked = bookedOf(evidence, refund);
    const over = booked !== undefined && booked.endsAtMs <= evidence.endedMs;
    const stands = booked === undefined ? 'nothing' : over ? booked.ends : 'under way';
    const ended = refund['status'];
    const wrong =
      (ended === 'SUCCEEDED' && stands !== 'refunded') ||
      ((ended === 'FAILED' || ended === 'REJECTED') && (stands === 'refunded' || stands === 'under way'));
    return wrong ? [`${text(refund['reference'])} is ${text(ended)}, and at the gateway ${stands}`] : [];
  });
}

const STEPS: ReadonlySet<string> = new Set([
  'null AWAITING_APPROVAL',
  'null PENDING',
  'AWAITING_APPROVAL PENDING',
  'AWAITING_APPROVAL REJECTED',
  'PENDING SUCCEEDED',
  'PENDING FAILED',
]);

function refundEndsAreFinal({ refundTransitions }: Evidence): string[] {
  return refundTransitions
    .filter(({ from, to }) => !STEPS.has(`${from} ${to}`))
    .map(({ refundId, from, to }) => `refund ${refundId} went from ${from} to ${to}`);
}

const POLLED_FOR_MS = 30 * 86_400_000;

/** At rest a refund has ended, or is in review for a reason that the gateway gave. */
function comesToAnEnd(evidence: Evidence): string[] {
  return table(evidence, 'refunds').flatMap((refund) => {
    const reference = text(refund['reference']);
    if (refund['status'] === 'AWAITING_APPROVAL') {
      const dueMs = timeOf(refund['created_at']) + APPROVAL_HOURS * 3_600_000;
      return dueMs < evidence.endedMs ? [`${reference} still waits for an approval that was due`] : [];
    }
    if (refund['status'] !== 'PENDING') {
      return [];
    }
    const reason = refund['review_reason'] ?? null;
    return reason !== null && isJustified(evidence, refund)
      ? []
      : [
          `${reference} is not over, and waits ${reason === null ? 'for nobody' : `for ${text(reason)} without a reason`}`,
        ];
  });
}

function isJustified(evidence: Evidence, refund: Values): boolean {
  const booked = bookedOf(evidence, refund);
  switch (refund['review_reason']) {
    case 'GATEWAY_CANCELLED':
      return booked?.ends === 'cancelled';
    case 'REFUSED_AFTER_DOUBT':
      return evidence.refusedRefunds.has(text(refund['reference']));
    case 'STUCK_AT_GATEWAY':
      return timeOf(refund['review_since']) - timeOf(refund['created_at']) >= POLLED_FOR_MS - evidence.clockToleranceMs;
    default:
      return false;
  }
}

/** The longest pause between two queries is six hours; a sweep or a process failure may add to it. */
const KNOWN_WITHIN_MS = 8 * 3_600_000;

/** A refund's end is known soon after the gateway has ended it and faults are over, unless a person had to review it first. */
function knownInTime(evidence: Evidence): string[] {
  return table(evidence, 'refunds').flatMap((refund) => {
    const booked = bookedOf(evidence, refund);
    const reviewed = evidence.acts.some(({ path }) => path === `/admin/refunds/${text(refund['id'])}/review`);
    if (refund['ended_at'] === null || booked === undefined || reviewed) {
      return [];
    }
    const lateMs = timeOf(refund['ended_at']) - Math.max(booked.endsAtMs, evidence.faultsEndedMs);
    return lateMs > KNOWN_WITHIN_MS
      ? [`the end of ${text(refund['reference'])} was known ${Math.round(lateMs / 60_000)} minutes late`]
      : [];
  });
}

function ownRefunds(evidence: Evidence, payment: Values): Values[] {
  return table(evidence, 'refunds').filter(
    (row) => row['payment_id'] === payment['id'] && row['unapplied_payment_id'] === null,
  );
}

/** The payment's status agrees with its successful refunds, and so do the gateway's records. */
function paymentShowsWhatWentBack(evidence: Evidence): string[] {
  return table(evidence, 'payments').flatMap((payment) => {
    const succeeded = ownRefunds(evidence, payment).filter(({ status }) => status === 'SUCCEEDED');
    const back = sum(succeeded.map(amountOf));
    const given = sum(succeeded.map((refund) => bookedOf(evidence, refund)?.amountMinor ?? 0n));
    // An overpayment is refunded as an unapplied payment.
    const own = amountOf(payment) - ((payment['overpayment_minor'] ?? 0n) as bigint);
    const paid = back === 0n ? 'SUCCEEDED' : back >= own ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
    const status = statusOf(payment);
    const shown = back === 0n ? status !== 'REFUNDED' && status !== 'PARTIALLY_REFUNDED' : status === paid;
    return shown && back === given
      ? []
      : [
          `${text(payment['reference'])} is ${status}; ${back} of ${amountOf(payment)} succeeded, the gateway gave ${given}`,
        ];
  });
}

/** Each successful refund has one ledger transaction of its own amount, and no other refund has one. */
function postedOnce(evidence: Evidence): string[] {
  const posted = Map.groupBy(
    table(evidence, 'ledger_transactions').filter(({ kind }) => kind === 'refund'),
    ({ cause_id: cause }) => text(cause),
  );
  const known = new Set(table(evidence, 'refunds').map(({ reference }) => text(reference)));
  const unknown = [...posted.keys()].filter((reference) => !known.has(reference));
  return [
    ...unknown.map((reference) => `${reference} is posted, and no refund`),
    ...table(evidence, 'refunds').flatMap((refund) => {
      const transactions = posted.get(text(refund['reference'])) ?? [];
      const amounts = table(evidence, 'ledger_postings')
        .filter(({ transaction_id: id }) => transactions.some((transaction) => transaction['id'] === id))
        .map(amountOf);
      const wanted = refund['status'] === 'SUCCEEDED' ? [amountOf(refund)] : [];
      return transactions.length === wanted.length && amounts.join() === wanted.join()
        ? []
        : [`${text(refund['reference'])} is ${text(refund['status'])} and posted as [${amounts.join(', ')}]`];
    }),
  ];
}

/** Each ended refund has its own event, and one of the payment if it changed that. */
function oneEventPerRefund(evidence: Evidence): string[] {
  const events = table(evidence, 'webhook_events');
  const told = events
    .filter(({ type }) => text(type).startsWith('refund.'))
    .map(({ type, payload }) => {
      const { data } = JSON.parse(text(payload)) as { data: { id: number; status: string } };
      return `${text(type)} ${data.id} ${data.status}`;
    });
  const ended = table(evidence, 'refunds').filter((refund) => refund['ended_at'] !== null);
  const wanted = ended.map(({ id, status }) => `refund.${text(status).toLowerCase()} ${text(id)} ${text(status)}`);
  const changed = table(evidence, 'payments').flatMap((payment) => {
    const gave = ownRefunds(evidence, payment).filter(({ status }) => status === 'SUCCEEDED').length;
    const said = events.filter(
      (row) => row['payment_id'] === payment['id'] && row['type'] === 'payment.refunded',
    ).length;
    return gave === said ? [] : [`${text(payment['reference'])} gave back ${gave} times and told so ${said} times`];
  });
  const missed = wanted.filter((line) => told.filter((other) => other === line).length !== 1);
  return [
    ...missed.map((line) => `"${line}" was not told exactly once`),
    ...told.filter((line) => !wanted.includes(line)).map((line) => `"${line}" was told, and is not so`),
    ...changed,
  ];
}

/** Returns the operators who sent one of these words about a target before a moment, according to their own records. */
function saidBy(
  { acts, clockToleranceMs }: Evidence,
  { path, words, beforeMs }: { path: string; words: readonly string[]; beforeMs: number },
): number[] {
  return acts
    .filter((act) => act.path.startsWith(path) && act.atMs <= beforeMs + clockToleranceMs)
    .filter((act) =>
      words.some((word) => act.path.endsWith(`/${word}`) || JSON.stringify(act.body ?? {}).includes(`"${word}"`)),
    )
    .map(({ operatorId }) => operatorId);
}

function thresholdOf(evidence: Evidence, { application_id: id }: Values): bigint | null {
  const application = table(evidence, 'applications').find((row) => row['id'] === id);
  return (application?.['refund_approval_threshold_minor'] ?? null) as bigint | null;
}

function isAbove(evidence: Evidence, row: Values, amountMinor: bigint): boolean {
  const threshold = thresholdOf(evidence, row);
  return threshold !== null && amountMinor > threshold;
}

/** Money moves and reviews end only by people's decisions, by as many people as needed, and never by a bare signal. */
function decidedByPeople(evidence: Evidence): string[] {
  return [
    ...table(evidence, 'refunds').flatMap((refund) => refundDecided(evidence, refund)),
    ...table(evidence, 'unapplied_payments').flatMap((late) => unappliedMoneyDecided(evidence, late)),
    ...table(evidence, 'payments').flatMap((payment) => reviewDecided(evidence, payment)),
  ];
}

function refundDecided(evidence: Evidence, refund: Values): string[] {
  const path = `/admin/refunds/${text(refund['id'])}/`;
  const creator = Number(refund['created_by_operator_id'] ?? 0);
  const said = (words: readonly string[], beforeMs: number): number[] =>
    saidBy(evidence, { path, words, beforeMs }).filter((operatorId) => operatorId !== creator);
  const complaints: string[] = [];
  const own = refund['created_by_type'] === 'USER' && refund['unapplied_payment_id'] === null;
  const booked = bookedOf(evidence, refund);
  if (own && isAbove(evidence, refund, amountOf(refund))) {
    const movedMs = booked?.acceptedAtMs ?? (refund['queried_at'] === null ? null : timeOf(refund['queried_at']));
    if (movedMs !== null && said(['approve'], movedMs).length === 0) {
      complaints.push('went to the gateway without a second person’s approval');
    }
  }
  const endedMs = timeOf(refund['ended_at']);
  if (refund['failure_code'] === 'APPROVER_REJECTED' && said(['reject'], endedMs).length === 0) {
    complaints.push('was rejected by nobody');
  }
  const dueMs = timeOf(refund['created_at']) + APPROVAL_HOURS * 3_600_000;
  if (refund['failure_code'] === 'APPROVAL_EXPIRED' && endedMs < dueMs - evidence.clockToleranceMs) {
    complaints.push('expired before its time');
  }
  if (refund['failure_code'] === 'OPERATOR_FOUND_NOT_REFUNDED') {
    const people = new Set(saidBy(evidence, { path, words: ['not-refunded'], beforeMs: endedMs }));
    complaints.push(...(people.size >= 2 ? [] : ['was found not refunded by fewer than two people']));
  }
  const byWord = table(evidence, 'decisions').some(
    (row) => row['refund_id'] === refund['id'] && row['decision'] === 'accept' && row['outcome'] === 'SUCCEEDED',
  );
  if (byWord && new Set(saidBy(evidence, { path, words: ['refunded'], beforeMs: endedMs })).size < 2) {
    complaints.push('was found refunded by fewer than two people');
  }
  return complaints.map((what) => `${text(refund['reference'])} ${what}`);
}

function peopleWanted(above: boolean): number {
  return above ? 2 : 1;
}

function unappliedMoneyDecided(evidence: Evidence, late: Values): string[] {
  const path = `/admin/unapplied-payments/${text(late['id'])}`;
  const wanted = peopleWanted(isAbove(evidence, late, late['gross_minor'] as bigint));
  const people = (word: string): number =>
    new Set(saidBy(evidence, { path, words: [word], beforeMs: evidence.endedMs }).filter(isExactly(evidence, path)))
      .size;
  const kept = late['status'] === 'KEPT' && people('keep') < wanted;
  const refunds = table(evidence, 'refunds').filter((row) => row['unapplied_payment_id'] === late['id']);
  const given = refunds.some(({ created_by_type: by }) => by === 'USER') && people('refund') < wanted;
  const automatic = refunds.some(({ created_by_type: by }) => by === 'SYSTEM');
  const allowed = table(evidence, 'applications').some(
    (row) => row['id'] === late['application_id'] && row['unapplied_payment_policy'] === 'REFUND',
  );
  return [
    ...(kept ? [`unapplied money ${text(late['id'])} was kept by fewer than ${wanted} people`] : []),
    ...(given ? [`unapplied money ${text(late['id'])} was given back by fewer than ${wanted} people`] : []),
    ...(automatic && !allowed ? [`unapplied money ${text(late['id'])} was given back by itself`] : []),
  ];
}

/** Matches the exact path: `/admin/unapplied-payments/1` is not `/admin/unapplied-payments/12`. */
function isExactly({ acts }: Evidence, path: string): (operatorId: number) => boolean {
  return (operatorId) => acts.some((act) => act.operatorId === operatorId && act.path === path);
}

function reviewDecided(evidence: Evidence, payment: Values): string[] {
  const accepted = table(evidence, 'decisions').some(
    (row) => row['kind'] === 'review' && row['payment_id'] === payment['id'] && row['outcome'] === 'SUCCEEDED',
  );
  const word = payment['failure_code'] === 'REVIEW_REJECTED' ? 'reject' : accepted ? 'accept' : null;
  if (word === null) {
    return [];
  }
  const path = `/admin/payments/${text(payment['id'])}/review`;
  const people = new Set(saidBy(evidence, { path, words: [word], beforeMs: timeOf(payment['ended_at']) }));
  const wanted = peopleWanted(isAbove(evidence, payment, amountOf(payment)));
  return people.size >= wanted ? [] : [`${text(payment['reference'])} ended by ${word} of fewer than ${wanted} people`];
}

/** Every complete decision is carried out, or answered with the reason why not. Half a decision waits for its second person. */
function decisionsTakenUp(evidence: Evidence): string[] {
  return table(evidence, 'decisions')
    .filter(({ consumed_at: consumedAt }) => consumedAt === null)
    .filter((row) => row['needs_second'] !== true || row['second_operator_id'] !== null)
    .map(({ id, kind }) => `decision ${text(id)} (${text(kind)}) was never taken up`);
}

/** An unapplied payment is held, being refunded, refunded or kept, and its refunds agree with that. */
function unappliedMoneyInOnePlace(evidence: Evidence): string[] {
  return table(evidence, 'unapplied_payments').flatMap((late) => {
    const refunds = table(evidence, 'refunds').filter((row) => row['unapplied_payment_id'] === late['id']);
    const has = (status: string): boolean => refunds.some((row) => row['status'] === status);
    const wanted = has('SUCCEEDED') ? ['REFUNDED'] : has('PENDING') ? ['REFUNDING'] : ['HELD', 'KEPT'];
    const payment = paymentWith(evidence, late['payment_id']);
    return wanted.includes(text(late['status']))
      ? []
      : [`unapplied money of ${text(payment?.['reference'])} is ${text(late['status'])}, not ${wanted.join(' or ')}`];
  });
}

function promisesKept(evidence: Evidence): string[] {
  return evidence.refundAnswers
    .filter(({ refundId, paymentId, amountMinor }) => {
      const row = table(evidence, 'refunds').find(({ id }) => id === refundId);
      return row?.['payment_id'] !== paymentId || amountOf(row) !== BigInt(amountMinor);
    })
    .map(
      ({ refundId, amountMinor }) => `a client was promised refund ${refundId} of ${amountMinor}, which is not stored`,
    );
}

/** Requesters with a key write it into the reason too. */
function oneRefundPerKey(evidence: Evidence): string[] {
  const byKey = Map.groupBy(
    table(evidence, 'refunds').filter((row) => text(row['reason']).startsWith('refund-')),
    ({ reason }) => text(reason),
  );
  const answered = Map.groupBy(
    evidence.refundAnswers.filter(({ key }) => key !== null),
    ({ key }) => key,
  );
  return [
    ...[...byKey].filter(([, all]) => all.length > 1).map(([key, all]) => `${key} made ${all.length} refunds`),
    ...[...answered]
      .filter(([, all]) => new Set(all.map(({ refundId }) => refundId)).size > 1)
      .map(([key]) => `${key} was answered with different refunds`),
  ];
}
