import { testFileWithServers } from '../check.ts';
import { property, type Defect } from '../defect.ts';
import { STORIES } from './checks.ts';

/** Defects in refunds: their balance, their request to the gateway, and their end. */
export const REFUNDS: readonly Defect[] = [
  {
    name: 'refund-balance-not-locked',
    breaks: 'Two refunds at the same time both use the same balance.',
    edits: [
      {
        in: 'core/refunds/store',
        find: "$QUERY.where('mode', '=', $('mode')).forUpdate()",
        replace: "$QUERY.where('mode', '=', $('mode'))",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'reservation-kept' }],
  },
  {
    name: 'refund-balance-not-checked',
    breaks: 'A refund may be as large as the payment, even if most of it was refunded before.',
    edits: [
      {
        in: 'core/refunds/store',
        find: 'if ($AMOUNT > $REFUNDABLE) { $$$BODY }',
        follows: 'const $REFUNDABLE = $GROSS - $CHARGE.overpaymentMinor - $RESERVED',
        replace: 'if ($AMOUNT > $GROSS) { $$$BODY }',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'reservation-kept' }],
  },
  {
    name: 'reservation-freed-too-early',
    breaks: 'An amount that the gateway is still refunding can be refunded once more.',
    edits: [
      {
        in: 'domain',
        find: "['AWAITING_APPROVAL', 'PENDING', $$$REST]",
        inside: 'const RESERVING_STATUSES = $_',
        replace: "['AWAITING_APPROVAL', $$$REST]",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'reservation-kept' }],
  },
  {
    name: 'reservation-never-freed',
    breaks: 'A failed refund keeps its part of the balance, so the payer never gets the money.',
    edits: [
      {
        in: 'domain',
        find: '[$$$STATUSES]',
        inside: 'const RESERVING_STATUSES = $_',
        replace: "['FAILED', $$$STATUSES]",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refused-only-what-is-too-much' }],
  },
  {
    name: 'refusal-after-doubt-believed',
    breaks: 'The gateway refuses a repeated request, and the refund that it accepted before counts as failed.',
    edits: [
      {
        in: 'core/refunds',
        find: "$DOUBTFUL ? { kind: 'unclear', reason: 'REFUSED_AFTER_DOUBT' } : $FAILED",
        replace: "$DOUBTFUL === null ? { kind: 'unclear', reason: 'REFUSED_AFTER_DOUBT' } : $FAILED",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refund-ends-as-the-gateway-says' }],
  },
  {
    name: 'refund-doubt-forgotten',
    breaks: 'Nobody records that an answer was lost, so the next refusal ends a refund that the gateway may have made.',
    edits: [
      {
        in: 'core/refunds/store',
        find: property('doubtful: $EB.or($CONDITIONS).$castTo<boolean>()'),
        replace: "doubtful: $EB.ref('r.doubtful')",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refund-ends-as-the-gateway-says' }],
  },
  {
    name: 'refund-time-out-read-as-failure',
    breaks: 'A refund fails because the gateway did not answer in time, although it may have made the refund.',
    edits: [
      {
        in: 'workflows',
        find: "unlessRowMissing<RefundAnswer>({ kind: 'waiting' })",
        replace: "unlessRowMissing<RefundAnswer>({ kind: 'failed', code: 'GATEWAY_SILENT' })",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refund-ends-as-the-gateway-says' }],
  },
  {
    name: 'refund-not-found-believed',
    breaks: 'A refund fails because the gateway does not find it yet.',
    edits: [
      {
        in: 'gateways/sslcommerz',
        find: "$ANSWER.status === 'failed' && $ANSWER.bank_tran_id === ''",
        replace: "$ANSWER.status === 'not found' && $ANSWER.bank_tran_id === ''",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refund-ends-as-the-gateway-says' }],
  },
  {
    name: 'second-refund-key',
    breaks: 'After a lost answer, the request is repeated with another key, and the gateway refunds twice.',
    edits: [
      {
        in: 'core/refunds',
        find: property('refundReference: $REFERENCE'),
        inside: '$GATEWAY.refund({ $$$BEFORE, queriedBefore: $REFUND.doubtful || $ACCEPTED, $$$AFTER })',
        replace: 'refundReference: $REFUND.doubtful ? `${$REFERENCE}a` : $REFERENCE',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refund-asked-as-stored' }],
  },
  {
    name: 'refund-ended-twice',
    breaks: 'Two workers end one refund at the same time. Both post it, and the application gets two events.',
    edits: [
      {
        in: 'core/refunds',
        find: 'if (isFinalRefund($REFUND.status)) { return { status: $REFUND.status, followUps: [] }; }',
        inside: '$DATABASE.withScope($$$ARGUMENTS)',
        replace: '',
      },
      {
        in: 'core/refunds/store',
        find: "$QUERY.where('r.status', '=', $('from'))",
        replace: "$QUERY.where((eb) => eb.or([eb('r.status', '=', $('from')), eb('r.endedAt', 'is not', null)]))",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'one-event-per-refund' }],
  },
  {
    name: 'failed-refund-posted',
    breaks: 'The ledger records a refund that the gateway refused.',
    edits: [
      {
        in: 'core/refunds',
        find: 'if ($SUCCEEDED) { $$$BODY }',
        follows: "const $SUCCEEDED = $REFUND.status === 'SUCCEEDED'",
        has: 'postTransaction($$$POSTED)',
        replace: "if ($REFUND.status !== 'REJECTED') { $$$BODY }",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refund-posted-once' }],
  },
  {
    name: 'whole-refund-shown-as-part',
    breaks: 'A payment that is refunded in full stays PARTIALLY_REFUNDED.',
    edits: [
      {
        in: 'core/refunds/store',
        find: "$EB.case().when($REFUNDED, '>=', $PAID)",
        replace: "$EB.case().when($REFUNDED, '>', $PAID)",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'payment-shows-what-went-back' }],
  },
  {
    name: 'sweeper-blind-to-refunds',
    breaks: 'A refund whose workflow did not start reserves its amount forever.',
    edits: [{ in: 'core/sweep', find: '() => runSweep($DEPS, dueRefunds($DEPS))', replace: 'async () => 0' }],
    caughtBy: [{ check: STORIES, names: 'refund-comes-to-an-end' }],
  },
  {
    name: 'refund-promised-in-vain',
    breaks: 'We accept a refund for a gateway that makes none, and the customer waits for money that never comes.',
    edits: [
      {
        in: 'core/refunds/store',
        find: 'if (!$REFUNDS) { $$$BODY }',
        precedes: 'if ($PER_PAYMENT_MAX === null && $WINDOW_DAYS === null) { $$$REST }',
        replace: 'if (!$REFUNDS && $PER_PAYMENT_MAX === 0) { $$$BODY }',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/admin/money.test.ts'),
        names:
          'a gateway that makes no refunds has none promised: applications and operators are refused at once, with nothing reserved',
      },
    ],
  },
];
