import { queryNow } from '../../database/clock.ts';
import type { CallbackKind } from '../../database/entities/payment.ts';
import { claimsNoMoney, outcomeWithoutQuery } from '../../domain/callback.ts';
import type { Mode } from '../../domain/mode.ts';
import { openOrAlert } from '../../gateways/open-or-alert.ts';
import type { CallbackArrival, ParsedCallback, Store } from '../../gateways/port.ts';
import { describeError } from '../../runtime/logger.ts';
import { sha256 } from '../../runtime/secrets.ts';
import type { CoreDependencies } from '../dependencies.ts';
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
  const callback = {
    gateway,
    mode,
    kind,
    reference,
    signatureValid: parsed.signatureValid,
    claimsNoMoney: claimsNoMoney(parsed),
    ...keptPayload(parsed, rawPayload),
    digest: digestOf(parsed, rawPayload),
  };
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
