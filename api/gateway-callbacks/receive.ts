import { queryNow } from '../../database/clock.ts';
import { CALLBACK_KINDS, type CallbackKind } from '../../database/entities/payment.ts';
import { closeCallback } from '../../core/gateway-callbacks/store/closing.ts';
import { findAttempt, type AttemptIds } from '../../core/gateway-callbacks/store/found-attempt.ts';
import {
  keepCallback,
  keepUnmatched,
  type KeptCallback,
  type ReceivedCallback,
} from '../../core/gateway-callbacks/store/keep.ts';
import { countUnsigned, passUnkept } from '../../core/gateway-callbacks/store/unkept.ts';
import { claimsNoMoney, outcomeWithoutQuery } from '../../domain/callback.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Mode } from '../../domain/mode.ts';
import { checkoutUrl } from '../../domain/payment-view.ts';
import { openOrAlert } from '../../gateways/open-or-alert.ts';
import type { CallbackArrival, ParsedCallback, Store } from '../../gateways/port.ts';
import { describeError } from '../../runtime/logger.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { allowHeader } from '../http/methods.ts';
import { readText } from '../http/body.ts';
import { admitAddress, type RateLimiter } from '../http/rate-limit.ts';
import type { Context } from '../http/surface.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { passOn } from '../../core/gateway-callbacks/pass-on.ts';

type CallbackDependencies = Pick<ApiDependencies, 'database' | 'gateways' | 'dispatch' | 'log' | 'webUrl'>;

/** More than any gateway sends, so that no signed callback is rejected for its size. */
const BODY_BYTES_MAX = 1024 * 1024;
/** How much of an unsigned callback is stored. Unsigned callbacks can come from anyone. */
const UNSIGNED_BYTES_MAX = 16 * 1024;
const UNMATCHED_PER_MINUTE = 60;
const PATH = /^\/gateway\/([a-z]+)\/(test|live)\/([a-z]+)(?:\/([0-9A-Za-z._-]{1,128}))?$/;

/**
 * Receives callbacks from gateways and browsers that they send back: `POST /gateway/{gateway}/{mode}/{ipn|success|fail|cancel}`, and `GET
 * /gateway/{gateway}/{mode}/return/{segment chosen by the adapter}` for gateways with one return URL for every outcome. A callback is stored,
 * answered and then signalled by its id; its content is never trusted. A notification gets 200 only after it is stored. A browser always gets a 303
 * to the page of its payment.
 */
export function createCallbackReceiver(
  deps: CallbackDependencies,
  limiter: RateLimiter,
): (context: Context) => Promise<boolean> {
  return async (context) => {
    const match = PATH.exec(context.path);
    const target = match === null ? null : targetOf(deps, match);
    if (target === null) {
      return false;
    }
    context.state.route = `callback ${target.gateway} ${target.kind}`;
    const method = target.kind === 'return' ? 'GET' : 'POST';
    if (context.method !== method) {
      context.set('Allow', allowHeader([method]));
      throw new DomainError('METHOD_NOT_ALLOWED', `this callback must be a ${method}`);
    }
    const reference = await receive(deps, target, { context, limiter });
    if (target.kind === 'ipn') {
      context.status = 200;
      context.type = 'text/plain; charset=utf-8';
      context.body = 'OK';
    } else {
      context.status = 303;
      context.set('Location', checkoutUrl(reference ?? 'unknown', deps.webUrl));
    }
    return true;
  };
}

interface Target {
  readonly gateway: string;
  readonly mode: Mode;
  /** `return`: the gateway's parameters decide which kind it is. */
  readonly kind: CallbackKind | 'return';
  /** The path segment after the kind. */
  readonly segment: string;
}

function targetOf(
  deps: CallbackDependencies,
  [, name = '', modeText, kindText, segment = '']: RegExpExecArray,
): Target | null {
  const mode = modeText === 'live' ? 'LIVE' : 'TEST';
  const kind = kindText === 'return' ? kindText : CALLBACK_KINDS.find((known) => known === kindText);
  if (
    deps.gateways.capabilities(name)?.takesCallbacks !== true ||
    kind === undefined ||
    (kind !== 'return' && segment !== '')
  ) {
    return null;
  }
  return { gateway: name, mode, kind, segment };
}

const KIND_OF_CLAIM: Readonly<Record<ParsedCallback['claims'], CallbackKind>> = {
  paid: 'success',
  cancelled: 'cancel',
  failed: 'fail',
  expired: 'fail',
  'refund-failed': 'fail',
  unknown: 'fail',
};

/** Returns the raw payload; for a GET in the form that `Gateway.parseCallback` reads. */
async function payloadOf({ kind, segment }: Target, context: Context): Promise<string> {
  const rawPayload =
    kind === 'return' ? `${segment}?${context.querystring}` : await readText(context.req, BODY_BYTES_MAX);
  if (rawPayload.includes('\0')) {
    throw new DomainError('VALIDATION_ERROR', 'the body could not be read');
  }
  return rawPayload;
}

/** Returns the reference of the payment that the callback belongs to, or null. */
async function receive(
  deps: CallbackDependencies,
  target: Target,
  { context, limiter }: { context: Context; limiter: RateLimiter },
): Promise<string | null> {
  const { gateway, mode } = target;
  const rawPayload = await payloadOf(target, context);
  const reference = deps.gateways.attemptNamedIn(gateway, rawPayload);
  const ids = reference === null ? null : await findAttempt(deps.database, gateway, reference);
  const arrival = { headers: context.req.headers, at: ids?.foundAt ?? (await queryNow(deps.database)) };
  const parsed = parse(deps, { gateway, mode, store: ids?.store }, { rawPayload, arrival });
  const kind = target.kind === 'return' ? KIND_OF_CLAIM[parsed.claims] : target.kind;
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
      admitAddress(context, limiter, { bucket: 'unmatched callback', perMinute: UNMATCHED_PER_MINUTE });
    }
    await keepUnmatched(deps.database, callback);
    deps.log.warn({ gateway, mode, kind, alert: 'unmatched-callback' }, 'callback does not match any payment attempt');
    return null;
  }
  const kept = await keep(deps, callback, ids);
  const outcome = outcomeWithoutQuery({ status: kept.payment.status, finalizedBy: kept.finalizedBy }, parsed);
  if (outcome !== null) {
    await deps.database.inOneTrip(ids.scope, (statements) => closeCallback(statements, kept.callbackId, outcome));
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
    return database.inOneTrip(ids.scope, (statements) => keepCallback(statements, callback, ids));
  }
  return database.inTransaction(ids.scope, async (statements) =>
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
