import type { Router } from '@koa/router';
import { actionRoutes, commonControlRoutes, ownerNamed } from '../kit/control.ts';
import { BodyError } from '../kit/form-body.ts';
import { payoutRoutes } from '../kit/payouts/control.ts';
import type { PayoutDesk } from '../kit/payouts/desk.ts';
import { finishByPayer } from './checkout.ts';
import { parseScript, parseSettings } from './control-input.ts';
import type { Courier } from './courier.ts';
import { errorTexts, finishSession, sessionsOf } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { findInstrument } from './instruments.ts';
import type { Instrument } from './instruments.ts';
import { payoutColumns } from './payouts.ts';
import { mergeScripts, scriptTable } from './scripts.ts';
import type { PayOutcome } from './scripts.ts';
import type { Session } from './state.ts';

type Parts = { gateway: Gateway; courier: Courier; desk: PayoutDesk };

/** Registers the control API, which tests and proofs use; ordinary payments never need it. Every change is a JSON request. */
export function controlRoutes(router: Router, { gateway, courier, desk }: Parts): void {
  commonControlRoutes(router, {
    base: '/__sim',
    gateway,
    scriptTable,
    parseScript,
    parseSettings,
    countedAs: 'sessions',
    ownerIn: (body) => ({
      storeId: ownerNamed(gateway.stores, { idOf: ({ id }) => id, id: body['storeId'], member: 'storeId' }).id,
    }),
  });
  actionRoutes(router, {
    path: '/__sim/sessions',
    called: 'session',
    find: (reference) => findSessions(gateway, reference),
    described: (session) => describeSession(gateway, session),
    actions: {
      deliver: (session) => ({ deliveries: courier.deliverNow(session) }),
      script(session, body) {
        const script = mergeScripts(session.script, parseScript(body['script']));
        gateway.record({ type: 'session_script', key: session.key, script });
      },
      expire: (session) => expireNow(gateway, session),
      finish: (session, body) => finishNow(gateway, { session, body }),
    },
    settled: () => gateway.settled(),
  });
  payoutRoutes(router, {
    base: '/__sim',
    desk,
    charges: gateway.charges,
    ownerMember: 'storeId',
    columns: payoutColumns,
  });
}

function expireNow(gateway: Gateway, session: Session): void {
  // Counts the session as opened, because tests expire a session by hand to get the notice.
  gateway.record({ type: 'opened', key: session.key, at: Date.now() });
  finishSession(gateway, { session, status: 'EXPIRED', instrument: '', error: errorTexts.EXPIRED });
}

function finishNow(
  gateway: Gateway,
  { session, body }: { session: Session; body: Readonly<Record<string, unknown>> },
): void {
  const { status = 'VALID', instrument = 'visa' } = body;
  const chosen: Instrument | undefined = typeof instrument === 'string' ? findInstrument(instrument) : undefined;
  const ended = Object.keys(errorTexts).find((name) => name === status) as PayOutcome | undefined;
  if (!chosen || !ended) {
    throw new BodyError(400, `status is one of ${Object.keys(errorTexts).join(', ')}; instrument is an id of the page`);
  }
  gateway.record({ type: 'opened', key: session.key, at: Date.now() });
  finishByPayer(gateway, { session, status: ended, instrument: chosen, error: errorTexts[ended] });
}

function findSessions(gateway: Gateway, reference: string): Session[] {
  const byKey = gateway.state.sessions.get(reference.toUpperCase());
  return byKey
    ? [byKey]
    : gateway.stores.flatMap((store) => sessionsOf(gateway, { storeId: store.id, tranId: reference }));
}

function describeSession(gateway: Gateway, session: Session) {
  const { state } = gateway;
  const deliveries = (state.deliveriesBySession.get(session.key) ?? []).flatMap((id) => state.deliveries.get(id) ?? []);
  const refundIds = state.refundsByBankTranId.get(session.outcome?.bankTranId ?? '') ?? [];
  return { ...session, deliveries, refunds: refundIds.flatMap((id) => state.refunds.get(id) ?? []) };
}
