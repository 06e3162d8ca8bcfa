import { testFile, testFileWithServers } from '../check.ts';
import { object, property, type Defect } from '../defect.ts';
import { ROUND, STORIES } from './checks.ts';

/** Defects in how events are signed and delivered to applications. */
export const WEBHOOKS: readonly Defect[] = [
  {
    name: 'new-event-id-at-each-attempt',
    breaks: 'A receiver cannot recognize a repeated event and ships the goods twice.',
    edits: [
      {
        in: 'core/contracts',
        find: object("'webhook-id': $EVENT_ID, 'webhook-timestamp': $TIMESTAMP, $$$REST"),
        replace: "{ 'webhook-id': `${$EVENT_ID}-${$TIMESTAMP}`, 'webhook-timestamp': $TIMESTAMP, $$$REST }",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'events-delivered' }],
  },
  {
    name: 'any-answer-is-delivery',
    breaks: "A receiver's error counts as a delivery, so the application never gets the event.",
    edits: [
      {
        in: 'core/webhooks',
        find: '$REPLY.status >= 200 && $REPLY.status < 300',
        replace: '$REPLY.status >= 200 && $REPLY.status !== 410',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'events-delivered' }],
  },
  {
    name: 'test-event-signed-by-live',
    breaks:
      'Anyone with a TEST key gets an event for a real order number, signed with the secret that the shop trusts.',
    edits: [
      {
        in: 'database/migrations',
        find: property("app: { rows: OWN, may: 'select' }"),
        inside: "table({ name: 'webhook_signing_secrets', $$$REST })",
        replace: "app: { rows: 'application_id = (select lenden_scope_app())', may: 'select' }",
      },
      {
        in: 'core/webhooks/store',
        find: "$QUERY.whereRef('s.mode', '=', 'w.mode')",
        replace: "$QUERY.where('s.mode', '=', 'LIVE')",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/webhooks/delivery.test.ts'),
        names: 'TEST and LIVE are signed by secrets of their own, also at one URL and after a rotation',
      },
      { check: ROUND, names: 'I8' },
    ],
  },
  {
    name: 'test-receiver-disables-live',
    breaks: 'If the TEST receiver is gone, the application gets no LIVE events either.',
    edits: [
      {
        in: 'database/migrations',
        find: property("app: { rows: OWN, may: 'select, update' }"),
        inside: "table({ name: 'webhook_endpoints', $$$REST })",
        replace: "app: { rows: 'application_id = (select lenden_scope_app())', may: 'select, update' }",
      },
      {
        in: 'core/webhooks/store',
        find: "$QUERY.where('mode', '=', $('mode'))",
        inside: 'const RECORD_HEALTH = $_',
        replace: "$QUERY.where('mode', 'in', ['TEST', 'LIVE'])",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/webhooks/delivery.test.ts'),
        names: 'TEST and LIVE are disabled each by itself, also at one URL',
      },
    ],
  },
  {
    name: 'promised-secret-dropped',
    breaks:
      'A second rotation revokes the former secret at once, so receivers lose the time that the first one promised them.',
    edits: [
      {
        in: 'core/webhooks/store',
        find: 'if ($REVOKE) { await REVOKE_FORMER.all($$$OWNER); }',
        precedes: 'if ($OVERLAP_HOURS > 0 && $FIRST !== undefined && $TOO_MANY) { $$$BODY }',
        replace: 'if ($REVOKE || $OVERLAP_HOURS > 0) { await REVOKE_FORMER.all($$$OWNER); }',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/webhooks/delivery.test.ts'),
        names: 'a signing secret signs for as long as it was promised, however often it is rotated',
      },
    ],
  },
  {
    name: 'former-secret-not-offered',
    breaks:
      'During a rotation, an OwnPay shop that still has the former secret refuses every event until we stop sending to it.',
    edits: [
      {
        in: 'core/webhooks',
        find: '!mayRefuseSignature($SENT.status)',
        replace: 'mayRefuseSignature($SENT.status)',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/ownpay/delivery.test.ts'),
        names:
          'while a secret is rotated one attempt offers the event under each secret that signs, so that a shop with the promised one takes every event',
      },
    ],
  },
  {
    name: 'sweeper-blind-to-events',
    breaks: 'An event whose delivery did not start is never sent.',
    edits: [{ in: 'core/sweep', find: '() => runSweep($DEPS, dueEvents($DEPS))', replace: 'async () => 0' }],
    caughtBy: [{ check: STORIES, names: 'comes-to-rest' }],
  },
  {
    name: 'one-public-address-is-enough',
    breaks:
      "A webhook host name that resolves to a public and a private address reaches the operator's internal network.",
    edits: [
      {
        in: 'runtime/http-client',
        find: '!$ADDRESSES.every($IS_ALLOWED)',
        replace: '!$ADDRESSES.some($IS_ALLOWED)',
      },
    ],
    caughtBy: [
      {
        check: testFile('test/runtime/http-client/http-client.test.ts'),
        names: 'the guard at connect time a name that resolves to a public and a private address is refused as a whole',
      },
    ],
  },
];
