import { GatewayFailure, type AttemptAnswer, type AttemptHandle } from '../port.ts';
import { isPaid, read, SessionAnswer, stateOf } from './answers.ts';
import type { Answered, StripeLibrary } from './library.ts';

const EXPANDED = ['payment_intent.latest_charge.balance_transaction'];
const NOT_FOUND = 404;

/** How an attempt stands: its session, with the charge and its fee in place. */
export async function queryAttempt(library: StripeLibrary, attempt: AttemptHandle): Promise<AttemptAnswer> {
  const { attemptReference, sessionKey, claimedValidationId, knownValidationIds } = attempt;
  // Who saw a page whose address never reached us was sent there by an answer that was lost; the callback may name it.
  const sessionId = sessionKey ?? (isSessionId(claimedValidationId) ? claimedValidationId : null);
  if (sessionId !== null && knownValidationIds.includes(sessionId)) {
    // One session is one charge, and that one is known.
    return { kind: 'not-started' };
  }
  const answered = await retrieve(library, sessionId ?? `cs_${attemptReference}`);
  if (!answered.ok) {
    if (answered.error.status !== NOT_FOUND) {
      throw new GatewayFailure('ambiguous', `the gateway refused the question: ${answered.error.code}`);
    }
    // Nobody can have paid by a page that we never had the address of; the question shows whether the gateway takes our key.
    return sessionKey === null ? { kind: 'not-started' } : { kind: 'unknown', note: 'SESSION_NOT_FOUND' };
  }
  const session = read(SessionAnswer, answered.value);
  if (session.id !== sessionId) {
    throw new GatewayFailure('ambiguous', 'the gateway answered about another session than the one it was asked for');
  }
  if (sessionKey === null && session.client_reference_id !== attemptReference) {
    return { kind: 'not-started' };
  }
  return stateOf(session, answered.raw);
}

/**
 * Ends a session, so that nobody can pay by it any more. One that is complete meanwhile is never closed: it is charged, or its money is on
 * its way.
 */
export async function closeSession(
  library: StripeLibrary,
  { sessionKey }: AttemptHandle,
): Promise<'closed' | 'charged' | 'unknown'> {
  if (sessionKey === null) {
    return 'closed';
  }
  const expired = await library.call((stripe) => stripe.checkout.sessions.expire(sessionKey));
  if (expired.ok && meaningOf(read(SessionAnswer, expired.value), sessionKey) === 'closed') {
    return 'closed';
  }
  // It is not open any more, or not the gateway's: how it stands is the answer.
  const answered = await retrieve(library, sessionKey);
  return answered.ok ? meaningOf(read(SessionAnswer, answered.value), sessionKey) : 'unknown';
}

function meaningOf(session: SessionAnswer, sessionId: string): 'closed' | 'charged' | 'unknown' {
  if (session.id !== sessionId) {
    return 'unknown';
  }
  if (isPaid(session)) {
    return 'charged';
  }
  const ended = session.status === 'expired' || stateOf(session, '').kind === 'failed';
  return ended ? 'closed' : 'unknown';
}

function retrieve(library: StripeLibrary, sessionId: string): Promise<Answered<object>> {
  return library.call((stripe) => stripe.checkout.sessions.retrieve(sessionId, { expand: EXPANDED }));
}

function isSessionId(text: string | null): text is string {
  return text !== null && /^cs_[0-9A-Za-z_]{1,120}$/.test(text);
}
