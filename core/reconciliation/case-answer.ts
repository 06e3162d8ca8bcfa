import { z } from 'zod';
import type { AttemptAnswer, RefundAnswer } from '../../gateways/port.ts';

/** What a gateway said when it was asked in a case, as it is stored. */
export const CaseAnswer = z.strictObject({
  about: z.enum(['attempt', 'refund']),
  /** Our reference of it. */
  reference: z.string(),
  /** The gateway's state of it, such as `charged` or `refunded`. */
  kind: z.string(),
  /** The gateway's id of the charge or refund, if it states one. */
  gatewayReference: z.string().nullable(),
  /** Minor units as text. */
  amountMinor: z
    .string()
    .regex(/^\d{1,19}$/)
    .nullable(),
  currency: z.string().nullable(),
  note: z.string().nullable(),
});
export type CaseAnswer = z.infer<typeof CaseAnswer>;

const NOTHING = { gatewayReference: null, amountMinor: null, currency: null, note: null } as const;

export function answerOfAttempt(reference: string, answer: AttemptAnswer): CaseAnswer {
  const said = { ...NOTHING, about: 'attempt', reference, kind: answer.kind } as const;
  switch (answer.kind) {
    case 'charged': {
      const { gatewayTxnId, grossMinor, currency } = answer.charge;
      return { ...said, gatewayReference: gatewayTxnId, amountMinor: grossMinor?.toString() ?? null, currency };
    }
    case 'with-operator':
      return { ...said, note: answer.since.toISOString() };
    case 'given-up':
      return { ...said, note: answer.as };
    case 'unknown':
      return { ...said, note: answer.note };
    default:
      return said;
  }
}

export function answerOfRefund(
  { reference, gatewayRefundId }: { readonly reference: string; readonly gatewayRefundId: string },
  answer: RefundAnswer,
): CaseAnswer {
  const said = {
    ...NOTHING,
    about: 'refund',
    reference,
    kind: answer.kind,
    gatewayReference: gatewayRefundId,
  } as const;
  return answer.kind === 'unknown' ? { ...said, note: answer.note } : said;
}
