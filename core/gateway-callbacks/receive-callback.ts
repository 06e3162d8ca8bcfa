import { queryNow } from '../../database/clock.ts';
import type { CallbackKind } from '../../database/entities/payment.ts';
import { claimsNoMoney, outcomeWithoutQuery } from '../../domain/callback.ts';
import type { Mode } from '../../domain/mode.ts';
import { openOrAlert } from '../../gateways/open-or-alert.ts';
import type { CallbackArrival, DisputeNotice, ParsedCallback, PayoutNotice, Store } from '../../gateways/port.ts';
import { describeError } from '../../runtime/logger.ts';
import { sha256 } from '../../runtime/secrets.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { noticeDispute } from '../disputes/store/disputes.ts';
import { findCharge } from '../disputes/store/found-charge.ts';
import { wakeSweeper } from '../sweep/wake.ts';
import { passOn } from './pass-on.ts';
import { closeCallback } from './store/closing.ts';
import { findAttempt, type AttemptIds } from './store/found-attempt.ts';
import { keepCallback, keepUnmatched, type KeptCallback, type ReceivedCallback } from './store/keep.ts';
import { countUnsigned, passUnkept } from './store/unkept.ts';

type CallbackDependencies = Pick<CoreDependencies, 'database' | 'gateways' | 'dispatch' | 'log'>;

/** How much of an unsigned callback is stored. Unsigned callbacks can come from anyone. */
const UNSIGNED_BYTES_MAX = 16 * 1024;

/** A callback as it arrived. Nothing in it is trusted. */
export interface ArrivedCallback {
  readonly gateway: string;
  readonly mode: Mode;
  /** Null if the gateway has one URL for every outcome. Its parameters then decide. */
  readonly kind: CallbackKind | null;
  readonly rawPayload: string;
  readonly headers: CallbackArrival['headers'];
}

const KIND_OF_CLAIM: Readonly<Record<ParsedCallback['claims'], CallbackKind>> = {
  paid: 'success',
  cancelled: 'cancel',
  failed: 'fail',
  expired: 'fail',
  'refund-failed': 'fail',
  unknown: 'fail',
};

/**
 * Stores a callback, then signals it by its id. Returns the reference of the payment that it belongs to, or null.
 *
 * `admitUnmatched` limits the unsigned callbacks that belong to no attempt: it throws to refuse one.
 */
export async function receiveCallback(
  deps: CallbackDependencies,
  { rawPayload, headers, ...arrived }: ArrivedCallback,
  admitUnmatched: () => void,
): Promise<string | null> {
  const { gateway, mode } = arrived;
  const reference = deps.gateways.attemptNamedIn(gateway, rawPayload);
  const ids = reference === null ? null : await findAttempt(deps.database, gateway, reference);
  const arrival = { headers, at: ids?.foundAt ?? (await queryNow(deps.database)) };
  const parsed = parse(deps, { gateway, mode, store: ids?.store }, { rawPayload, arrival });
  const kind = arrived.kind ?? KIND_OF_CLAIM[parsed.claims];
  const { about } = parsed;
  if (ids === null && about !== undefined) {
    await receiveNotice(deps, { gateway, mode, kind, rawPayload, arrival, parsed, about }, admitUnmatched);
    return null;
  }
  const callback = callbackOf(parsed, { gateway, mode, kind, reference, rawPayload });
  if (ids === null || ids.scope.mode !== mode) {
    if (!parsed.signatureValid) {
      admitUnmatched();
    }
    await keepUnmatched(deps.database, callback);
    deps.log.warn({ gateway, mode, kind, alert: 'unmatched-callback' }, 'callback does not match any payment attempt');
    return null;
  }
  const kept = await keep(deps, callback, ids);
  const outcome = outcomeWithoutQuery({ status: kept.payment.status, finalizedBy: kept.finalizedBy }, parsed);
  if (outcome !== null) {
    await deps.database.withScope(ids.scope, (statements) => closeCallback(statements, kept.callbackId, outcome), {
      oneTrip: true,
    });
  } else if (kept.signal) {
    await passOn(deps, kept, { ...ids, gateway }).catch((error: unknown) => {
      deps.log.warn(
        { payment: kept.payment.reference, error: describeError(error) },
        'callback not signalled; the sweeper retries',
      );
    });
  }
  return kept.payment.reference;
}

type Arrived = Pick<ReceivedCallback, 'gateway' | 'mode' | 'kind' | 'reference' | 'rawPayload'>;

function callbackOf(parsed: ParsedCallback, { rawPayload, ...arrived }: Arrived): ReceivedCallback {
  return {
    ...arrived,
    signatureValid: parsed.signatureValid,
    claimsNoMoney: claimsNoMoney(parsed),
    ...keptPayload(parsed, rawPayload),
    digest: digestOf(parsed, rawPayload),
  };
}

interface Notice extends Omit<Arrived, 'reference'> {
  readonly arrival: CallbackArrival;
  /** As the store of the environment reads it. */
  readonly parsed: ParsedCallback;
  readonly about: PayoutNotice | DisputeNotice;
}

/**
 * Stores a callback about a payout or a dispute. A dispute is queried by the sweeper if the store of its charge has signed the notice. A payout needs nothing:
 * each run reads the gateway's payouts.
 */
async function receiveNotice(
  deps: CallbackDependencies,
  { arrival, parsed, about, ...arrived }: Notice,
  admitUnmatched: () => void,
): Promise<void> {
  const { gateway, mode, kind, rawPayload } = arrived;
  const gatewayTxnId = about.kind === 'dispute' ? about.gatewayTxnId : null;
  const charge = gatewayTxnId === null ? null : await findCharge(deps.database, { gateway, mode, gatewayTxnId });
  const checked =
    charge === null ? parsed : parse(deps, { gateway, mode, store: charge.store }, { rawPayload, arrival });
  const reference = about.kind === 'dispute' ? about.disputeId : about.payoutReference;
  const callback = callbackOf(checked, { ...arrived, reference });
  if (!checked.signatureValid) {
    admitUnmatched();
  }
  if (about.kind === 'dispute' && checked.signatureValid && charge !== null && gatewayTxnId !== null) {
    const { scope, attemptId, paymentId, store } = charge;
    const ids = { ...scope, attemptId, paymentId, gateway, storeId: store.storeId };
    // First, so that a callback that is stored has been noticed.
    await deps.database.withScope(scope, (statements) =>
      noticeDispute(statements, { ...ids, gatewayTxnId, gatewayDisputeId: about.disputeId }),
    );
    await keepUnmatched(deps.database, callback, 'NOTICED');
    wakeSweeper(deps);
    return;
  }
  const noticed = about.kind === 'payout' && checked.signatureValid;
  await keepUnmatched(deps.database, callback, noticed ? 'NOTICED' : 'UNMATCHED');
  if (about.kind === 'dispute') {
    deps.log.warn(
      { gateway, mode, kind, alert: 'unmatched-callback' },
      'callback about a dispute of no charge of ours',
    );
  }
}

/**
 * Stores a callback. Unsigned ones are limited per attempt, not per address: gateways call from few addresses, and mobile payers share theirs. They
 * are counted and stored in one transaction.
 */
function keep({ database }: CallbackDependencies, callback: ReceivedCallback, ids: AttemptIds): Promise<KeptCallback> {
  if (callback.signatureValid) {
    return database.withScope(ids.scope, (statements) => keepCallback(statements, callback, ids), { oneTrip: true });
  }
  return database.withScope(ids.scope, async (statements) =>
    (await countUnsigned(statements, callback, ids)) === 'kept'
      ? keepCallback(statements, callback, ids)
      : passUnkept(statements, ids),
  );
}

/** Returns the whole payload if the gateway signed it or it is short, otherwise only its beginning. */
function keptPayload(
  { signatureValid, note }: ParsedCallback,
  rawPayload: string,
): { rawPayload: string; note: string | null } {
  const bytes = Buffer.from(rawPayload);
  if (signatureValid || bytes.length <= UNSIGNED_BYTES_MAX) {
    return { rawPayload, note };
  }
  const beginning = new TextDecoder().decode(bytes.subarray(0, UNSIGNED_BYTES_MAX), { stream: true });
  return { rawPayload: beginning, note: note ?? 'CUT' };
}

/**
 * Returns the digest by which repeats are recognized. A gateway may resend a notification in different bytes, so a signed one is identified by its
 * event id. An unsigned event id proves nothing.
 */
function digestOf({ signatureValid, eventId }: ParsedCallback, rawPayload: string): Buffer {
  return sha256(signatureValid && eventId !== undefined ? `event ${eventId}` : rawPayload);
}

interface Sender {
  readonly gateway: string;
  readonly mode: Mode;
  /** The attempt's store. A callback without an attempt can still come from the environment's store. */
  readonly store: Store | undefined;
}

/**
 * Parses a callback. Without credentials for its store the signature cannot be checked, so the result claims nothing. The callback is stored anyway.
 */
function parse(
  deps: CallbackDependencies,
  { gateway, mode, store }: Sender,
  { rawPayload, arrival }: { readonly rawPayload: string; readonly arrival: CallbackArrival },
): ParsedCallback {
  const known = store ?? { storeId: deps.gateways.defaultStoreId(gateway, mode) ?? '', sealedSecret: null };
  return (
    openOrAlert(deps, { gateway, mode, store: known })?.parseCallback(rawPayload, arrival) ?? {
      attemptReference: null,
      signatureValid: false,
      claims: 'unknown',
      claimedValidationId: null,
      note: null,
    }
  );
}
