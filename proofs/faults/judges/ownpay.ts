import { intentIn, paymentsIn } from '../application.ts';
import type { Evidence } from '../evidence.ts';
import { receiverOf } from './events.ts';
import type { Judge } from './judge.ts';
import { coursesOf, endOf, FINAL, type Course } from './payments.ts';

/** OwnPay's names for the final states, and the event of each. */
const ENDS: Readonly<Record<string, { readonly status: string; readonly event: string }>> = {
  SUCCEEDED: { status: 'completed', event: 'payment.completed' },
  FAILED: { status: 'failed', event: 'payment.failed' },
  CANCELLED: { status: 'cancelled', event: 'payment.failed' },
  EXPIRED: { status: 'expired', event: 'payment.failed' },
};

/** I20. */
export const ownpayIsKept: Judge = (evidence) => {
  const courses = coursesOf(evidence).filter(({ errand }) => errand.contract === 'ownpay');
  return {
    judged: courses.length,
    violations: courses.flatMap((course) => [...wronglyKept(evidence, course), ...wronglyTold(evidence, course)]),
  };
};

/** Every acknowledgement of the key names the same payment, and the application's list contains it with its amount and gateway. */
function wronglyKept({ answers, attempts }: Evidence, { errand }: Course): string[] {
  const { mark } = errand;
  const own = answers.filter((answer) => answer.mark === mark);
  const told = new Set(
    own.flatMap(({ kind, status, text }) =>
      (kind === 'intent' || kind === 'intent-repeat') && status === 201 ? [intentIn({ text })?.reference ?? ''] : [],
    ),
  );
  const list = own.filter(({ kind, status }) => kind === 'list' && status === 200).at(-1);
  const kept = (list === undefined ? null : paymentsIn(list)) ?? [];
  return [
    ...(told.size > 1 ? [`${mark}: one key was answered with ${[...told].join(' and ')}`] : []),
    ...[...told]
      .filter((reference) => !kept.some((one) => one.reference === reference && one.amountMinor === errand.amountMinor))
      .map((reference) => `${mark}: ${reference} was acknowledged, and is not kept as it was asked for`),
    ...attempts
      .filter((attempt) => attempt.mark === mark && attempt.gateway !== errand.gateways?.[0])
      .map(({ gateway }) => `${mark} was to be paid at ${errand.gateways?.[0]}, and has an order at ${gateway}`),
  ];
}

/** There is one event with one body, signed as OwnPay signs, at the right receiver, and none before the end. */
function wronglyTold(evidence: Evidence, { errand, last }: Course): string[] {
  const receiver = receiverOf(evidence, errand.app);
  const own = evidence.ownpayDeliveries.filter(({ reference }) => reference === last?.reference);
  const name = `${errand.mark} (${last?.reference})`;
  if (receiver === null || last === null || !FINAL.has(last.status)) {
    return own.length === 0 ? [] : [`${name} has an event, and ${receiver === null ? 'no receiver' : 'has not ended'}`];
  }
  const ids = new Set(own.map(({ id }) => id));
  const bodies = new Set(own.map(({ body }) => body));
  const end = ENDS[endOf(last)];
  const said = own.map(({ type, status }) => `${type} ${status}`);
  return [
    ...(ids.size === 1 && bodies.size === 1
      ? []
      : [`${name} has ${ids.size} events with ${bodies.size} bodies, not 1`]),
    ...(said.every((words) => words === `${end?.event} ${end?.status}`)
      ? []
      : [`${name} ended ${last.status}, its event says ${said.join(', ')}`]),
    ...(own.every(({ signatureValid }) => signatureValid) ? [] : [`${name}: an event came without a valid signature`]),
    ...(own.every((event) => event.receiver === receiver) ? [] : [`${name}: an event came to the wrong receiver`]),
  ];
}
