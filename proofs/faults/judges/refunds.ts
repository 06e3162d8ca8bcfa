import { refundsIn, type RefundView } from '../application.ts';
import type { LateAct } from '../dials.ts';
import type { Evidence, RefundName } from '../evidence.ts';
import type { RecordedRefund } from '../booked.ts';
import type { Errand } from '../plan.ts';
import type { Judge } from './judge.ts';
import { coursesOf, PAID, type Course } from './payments.ts';

export const FINAL_REFUND: ReadonlySet<string> = new Set(['SUCCEEDED', 'FAILED', 'REJECTED']);

/** One refund with all records about it. */
export interface Giving {
  readonly errand: Errand;
  /** As the API showed it at the end. */
  readonly view: RefundView;
  readonly name: RefundName | null;
  readonly booked: RecordedRefund | null;
  /** What the ledger took from the clearing account for it; null if nothing is posted. */
  readonly postedMinor: string | null;
}

export interface RefundCourse extends Course {
  readonly givings: readonly Giving[];
  readonly refunded: readonly RecordedRefund[];
}

/** Returns each errand with its refunds. */
export function refundCoursesOf(evidence: Evidence): RefundCourse[] {
  const { answers, refundNames, refunded, postings } = evidence;
  return coursesOf(evidence).map((course) => {
    const { errand, sessions } = course;
    const orders = new Set(sessions.map(({ tranId }) => tranId));
    const lists = answers.filter(({ mark, kind }) => mark === errand.mark && kind === 'refund-list');
    const last = lists.flatMap((list) => (list.status === 200 ? [refundsIn(list) ?? []] : [])).at(-1) ?? [];
    return {
      ...course,
      refunded: refunded.filter(({ tranId }) => orders.has(tranId)),
      givings: last.map((view) => {
        const name = refundNames.find(({ id }) => id === view.id) ?? null;
        const isOwn = ({ reference }: { reference: string }): boolean => reference === name?.reference;
        const posted = postings.filter(
          ({ causeType, causeId }) => causeType === 'refund' && causeId === name?.reference,
        );
        return {
          errand,
          view,
          name,
          booked: refunded.find(isOwn) ?? null,
          postedMinor: posted.length === 0 ? null : total(posted.map(({ grossMinor }) => grossMinor)).toString(),
        };
      }),
    };
  });
}

export function givingsOf(evidence: Evidence): Giving[] {
  return refundCoursesOf(evidence).flatMap(({ givings }) => givings);
}

/** Returns whether it refunds an unapplied payment, which was never part of the payment itself. */
export function isLate({ name }: Giving): boolean {
  return name !== null && name.unappliedPaymentId !== null;
}

export function nameOf({ view, errand }: Giving): string {
  return `refund ${view.id} (${view.reason ?? errand.mark})`;
}

/** I13. Compares, in the gateway's records only, what the gateway refunded or may still refund with what it took. */
export const refundedAtMostOnce: Judge = (evidence) => {
  const courses = refundCoursesOf(evidence).filter(({ refunded }) => refunded.length > 0);
  const asked = new Set(evidence.refundNames.map(({ reference }) => reference));
  return {
    judged: courses.reduce((sum, { refunded }) => sum + refunded.length, 0),
    violations: courses.flatMap(({ errand, charges, refunded }) => {
      const taken = total(charges.map(({ amountMinor }) => amountMinor));
      const given = total(refunded.filter(mayMove).map(({ amountMinor }) => amountMinor));
      const references = refunded.map(({ reference }) => reference);
      const repeated = references.filter((reference, index) => references.indexOf(reference) !== index);
      return [
        ...(given > taken ? [`${errand.mark}: the gateway took ${taken} and gave back ${given}`] : []),
        ...repeated.map((reference) => `${errand.mark}: the gateway has ${reference} more than once`),
        ...references
          .filter((reference) => !asked.has(reference))
          .map((reference) => `${errand.mark}: the gateway has a refund ${reference} that no row knows`),
      ];
    }),
  };
};

function mayMove({ outcome }: RecordedRefund): boolean {
  return outcome === null || outcome === 'refunded';
}

/** I14. Refunds, payment, ledger and gateway have the same sum, and refunds that failed moved nothing. */
export const refundsSayWhatMoved: Judge = (evidence) => {
  const courses = refundCoursesOf(evidence).filter(({ last }) => last !== null);
  const shown = new Set(courses.flatMap(({ givings }) => givings.map(({ view }) => view.id)));
  return {
    judged: shown.size,
    violations: [
      ...courses.flatMap((course) => [...course.givings.flatMap(wrongEnd), ...wrongSum(course)]),
      ...evidence.refundNames
        .filter(({ id }) => !shown.has(id))
        .map(({ id, mark }) => `${mark}: refund ${id} is there, and the api does not list it`),
    ],
  };
};

function wrongEnd(giving: Giving): string[] {
  const { view, booked, postedMinor } = giving;
  const name = nameOf(giving);
  const ledger = postedMinor === null ? [] : [`${name} is ${view.status}, the ledger has ${postedMinor} for it`];
  if (view.status !== 'SUCCEEDED') {
    const moved = booked !== null && mayMove(booked) && view.status !== 'PENDING';
    return [...ledger, ...(moved ? [`${name} is ${view.status}, the gateway has it as ${outcomeOf(booked)}`] : [])];
  }
  const given = booked?.outcome === 'refunded' ? booked.amountMinor : null;
  return [
    ...(given === String(view.amountMinor)
      ? []
      : [`${name} of ${view.amountMinor} is SUCCEEDED, the gateway gave back ${given ?? 'nothing'}`]),
    ...(postedMinor === String(view.amountMinor)
      ? []
      : [`${name} of ${view.amountMinor} is SUCCEEDED, the ledger has ${postedMinor ?? 'nothing'} for it`]),
  ];
}

function outcomeOf({ outcome }: RecordedRefund): string {
  return outcome ?? 'processing';
}

function wrongSum({ errand, last, givings }: RefundCourse): string[] {
  const own = givings.filter((giving) => !isLate(giving));
  const given = sumOf(own.filter(({ view }) => view.status === 'SUCCEEDED'));
  const reserved = sumOf(own.filter(({ view }) => view.status !== 'FAILED' && view.status !== 'REJECTED'));
  if (last === null || !PAID.has(last.status)) {
    return own.length === 0 ? [] : [`${errand.mark} is ${last?.status}, and has refunds`];
  }
  const captured = BigInt(last.amountMinor);
  const expected = given === 0n ? 'SUCCEEDED' : given < captured ? 'PARTIALLY_REFUNDED' : 'REFUNDED';
  return [
    ...(last.status === expected ? [] : [`${errand.mark} is ${last.status}, with ${given} of ${captured} given back`]),
    ...(reserved > captured ? [`${errand.mark}: ${reserved} of ${captured} is given back or reserved`] : []),
  ];
}

function sumOf(givings: readonly Giving[]): bigint {
  return givings.reduce((sum, { view }) => sum + BigInt(view.amountMinor), 0n);
}

/** I15. Checked against the operators' own journal of who decided what and when. The operator who requested a refund does not count. */
export const twoPeopleDecide: Judge = (evidence) => {
  const decided = givingsOf(evidence).filter(({ view }) => view.createdBy.startsWith('operator:'));
  const kept = lateEndsOf(evidence).filter(({ act }) => act === 'keep');
  return {
    judged: decided.length + kept.length,
    violations: [
      ...decided.flatMap((giving) => [
        ...ownWord(evidence, giving),
        ...(isLate(giving) ? unseconded(evidence, giving) : unapproved(evidence, giving)),
      ]),
      ...kept.flatMap(({ errand, amountMinor }) => {
        const by = new Set(
          evidence.answers.flatMap(({ mark, kind, desk }) =>
            mark === errand.mark && kind === 'late-keep' ? (desk?.operatorId ?? []) : [],
          ),
        );
        return by.size >= peopleFor(evidence, { errand, amountMinor })
          ? []
          : [`${errand.mark}: unapplied money was kept by the word of ${by.size}`];
      }),
    ],
  };
};

function ownWord({ answers }: Evidence, giving: Giving): string[] {
  const { id, createdBy } = giving.view;
  return answers
    .filter(
      ({ kind, status, desk }) =>
        (kind === 'approve' || kind === 'reject') &&
        status === 200 &&
        desk?.subjectId === id &&
        createdBy === `operator:${desk.operatorId}` &&
        !isLate(giving),
    )
    .map(({ kind }) => `${nameOf(giving)}: ${createdBy} asked for it, and his own ${kind} was taken`);
}

function unapproved(evidence: Evidence, giving: Giving): string[] {
  const { view, booked, errand } = giving;
  if (booked === null || peopleFor(evidence, { errand, amountMinor: BigInt(view.amountMinor) }) === 1) {
    return [];
  }
  const said = evidence.answers.some(
    ({ kind, desk }) =>
      kind === 'approve' &&
      desk?.subjectId === view.id &&
      view.approvedBy === `operator:${desk.operatorId}` &&
      view.approvedBy !== view.createdBy &&
      desk.atMs <= booked.atMs,
  );
  return said ? [] : [`${nameOf(giving)} reached the gateway without the approval of a second person`];
}

function unseconded(evidence: Evidence, giving: Giving): string[] {
  const { view, booked, errand, name } = giving;
  if (booked === null) {
    return [];
  }
  const by = new Set(
    evidence.answers.flatMap(({ kind, desk }) =>
      kind === 'late-refund' && desk?.subjectId === name?.unappliedPaymentId && (desk?.atMs ?? Infinity) <= booked.atMs
        ? (desk?.operatorId ?? [])
        : [],
    ),
  );
  return by.size >= peopleFor(evidence, { errand, amountMinor: BigInt(view.amountMinor) })
    ? []
    : [`${nameOf(giving)}: unapplied money was given back by the word of ${by.size}`];
}

function peopleFor({ apps }: Evidence, { errand, amountMinor }: { errand: Errand; amountMinor: bigint }): 1 | 2 {
  const threshold = apps.find(({ index }) => index === errand.app)?.thresholdMinor ?? null;
  return threshold !== null && amountMinor > BigInt(threshold) ? 2 : 1;
}

export interface LateEnd {
  readonly errand: Errand;
  readonly act: LateAct;
  readonly amountMinor: bigint;
}

/** Returns the unapplied payments that were refunded or kept. */
export function lateEndsOf(evidence: Evidence): LateEnd[] {
  return refundCoursesOf(evidence).flatMap(({ errand, charges, givings }) => {
    const kept = evidence.postings.filter(({ mark, kind }) => mark === errand.mark && kind === 'kept');
    return [
      ...kept.map(() => ({
        errand,
        act: 'keep' as const,
        amountMinor: total(charges.map(({ amountMinor }) => amountMinor)),
      })),
      ...givings.filter(isLate).map(({ view }) => ({
        errand,
        act: view.createdBy === 'system' ? ('policy' as const) : ('refund' as const),
        amountMinor: BigInt(view.amountMinor),
      })),
    ];
  });
}

function total(amounts: readonly string[]): bigint {
  return amounts.reduce((sum, amount) => sum + BigInt(amount), 0n);
}
