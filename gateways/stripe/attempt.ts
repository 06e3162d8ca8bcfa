import { readAnswer } from '../json.ts';
import { GatewayFailure, type AttemptAnswer, type AttemptHandle } from '../port.ts';
import { isPaid, SessionAnswer, stateOf } from './answers.ts';
import type { Answered, StripeLibrary } from './library.ts';

const EXPANDED = ['payment_intent.latest_charge.balance_transaction'];
const NOT_FOUND = 404;

/** Reports the state of an attempt from its session, with the charge and its fee expanded. */
export async function queryAttempt(library: StripeLibrary, attempt: AttemptHandle): Promise<AttemptAnswer> {
  const { attemptReference, sessionKey, claimedValidationId, knownValidationIds } = attempt;
  // If the answer to the create call was lost, the session's id is unknown. A callback may name it.
  const sessionId = sessionKey ?? (isSessionId(claimedValidationId) ? claimedValidationId : null);
  if (sessionId !== null && knownValidationIds.includes(sessionId)) {
    // One session is one charge, and this one is recorded already.
    return { kind: 'not-started' };
  }
  const answered = await retrieve(library, sessionId ?? `cs_${attemptReference}`);
  if (!answered.ok) {
    if (answered.error.status !== NOT_FOUND) {
      throw new GatewayFailure('ambiguous', `the gateway refused the query: ${answered.error.code}`);
    }
    // Nobody can have paid on a page whose URL we never had. The query still checks our key.
    return sessionKey === null ? { kind: 'not-started' } : { kind: 'unknown', note: 'SESSION_NOT_FOUND' };
  }
  const session = readAnswer(SessionAnswer, answered.value);
  if (session.id !== sessionId) {
    throw new GatewayFailure('ambiguous', 'the gateway answered for a different session than the one queried');
  }
  if (sessionKey === null && session.client_reference_id !== attemptReference) {
    return { kind: 'not-started' };
  }
  return stateOf(session, answered.raw);
}

/**
 * Expires a session, so that it can no longer be paid. Never answers `closed` for a session that has completed in the meantime, unless its payment
 * failed: its money was charged or is on its way.
 */
export async function closeSession(
  library: StripeLibrary,
  { sessionKey }: AttemptHandle,
): Promise<'closed' | 'charged' | 'unknown'> {
  if (sessionKey === null) {
    return 'closed';
  }
  const expired = await library.call((stripe) => stripe.checkout.sessions.expire(sessionKey));
  if (expired.ok && meaningOf(readAnswer(SessionAnswer, expired.value), sessionKey) === 'closed') {
    return 'closed';
  }
  // The session is no longer open, or the gateway does not know it: its state is the answer.
  const answered = await retrieve(library, sessionKey);
  return answered.ok ? meaningOf(readAnswer(SessionAnswer, answered.value), sessionKey) : 'unknown';
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
