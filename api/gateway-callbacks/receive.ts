import { CALLBACK_KINDS, type CallbackKind } from '../../database/entities/payment.ts';
import {
  closeCallback,
  findAttempt,
  keepCallback,
  keepUnmatched,
  type AttemptIds,
  type KeptCallback,
} from '../../database/gateway-callbacks.ts';
import { outcomeWithoutAsking } from '../../domain/callback.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Mode } from '../../domain/mode.ts';
import { isOpen } from '../../domain/payment.ts';
import { openOrAlert } from '../../gateways/open-or-alert.ts';
import type { ParsedCallback, Store } from '../../gateways/port.ts';
import { describeError } from '../../runtime/logger.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { readText } from '../http/body.ts';
import { admitAddress, type RateLimiter } from '../http/rate-limit.ts';
import type { Context } from '../http/surface.ts';
import type { ApiDependencies } from '../native/dependencies.ts';

const BODY_BYTES_MAX = 64 * 1024;
const UNMATCHED_PER_MINUTE = 60;
const PATH = /^\/gateway\/([a-z]+)\/(test|live)\/([a-z]+)$/;

/**
 * Where gateways call and send browsers back: `POST /gateway/{gateway}/{mode}/{ipn|success|fail|cancel}`. A callback is stored, answered,
 * and then signalled by its id; what it says is never believed. A notification gets 200 only after it is stored; a browser is led on to
 * the page of its payment by 303, whatever it brought.
 */
export function createCallbackReceiver(
  deps: ApiDependencies,
  limiter: RateLimiter,
): (context: Context) => Promise<boolean> {
  return async (context) => {
    const match = PATH.exec(context.path);
    const target = match === null ? null : targetOf(deps, match);
    if (target === null) {
      return false;
    }
    context.state.route = `callback ${target.gateway} ${target.kind}`;
    if (context.method !== 'POST') {
      context.set('Allow', 'POST');
      throw new DomainError('METHOD_NOT_ALLOWED', 'callbacks are posted');
    }
    const reference = await receive(deps, target, { context, limiter });
    if (target.kind === 'ipn') {
      context.status = 200;
      context.type = 'text/plain; charset=utf-8';
      context.body = 'OK';
    } else {
      context.status = 303;
      context.set('Location', `${deps.webUrl}/checkout/${reference ?? 'unknown'}`);
    }
    return true;
  };
}

interface Target {
  readonly gateway: string;
  readonly mode: Mode;
  readonly kind: CallbackKind;
}

function targetOf(deps: ApiDependencies, [, name = '', modeText, kindText]: RegExpExecArray): Target | null {
  const mode = modeText === 'live' ? 'LIVE' : 'TEST';
  const kind = CALLBACK_KINDS.find((known) => known === kindText);
  return deps.gateways.capabilities(name) === undefined || kind === undefined ? null : { gateway: name, mode, kind };
}

/** Answers the reference of the payment that the callback belongs to, or null. */
async function receive(
  deps: ApiDependencies,
  { gateway, mode, kind }: Target,
  { context, limiter }: { context: Context; limiter: RateLimiter },
): Promise<string | null> {
  const rawPayload = await readText(context.req, BODY_BYTES_MAX);
  if (rawPayload.includes('\0')) {
    throw new DomainError('VALIDATION_ERROR', 'the body could not be read');
  }
  const reference = deps.gateways.attemptNamedIn(gateway, rawPayload);
  const ids = reference === null ? null : await findAttempt(deps.database, gateway, reference);
  const parsed = parse(deps, { gateway, mode, store: ids?.store }, rawPayload);
  const callback = {
    gateway,
    mode,
    kind,
    reference,
    signatureValid: parsed.signatureValid,
    note: parsed.note,
    rawPayload,
    digest: sha256(rawPayload),
  };
  if (ids === null || ids.scope.mode !== mode) {
    admitAddress(context, limiter, { bucket: 'unmatched callback', perMinute: UNMATCHED_PER_MINUTE });
    await keepUnmatched(deps.database, callback);
    deps.log.warn({ gateway, mode, kind, alert: 'unmatched-callback' }, 'a callback names no attempt of ours');
    return null;
  }
  const kept = await deps.database.inOneTrip(ids.scope, (statements) => keepCallback(statements, callback, ids));
  const outcome = outcomeWithoutAsking({ status: kept.payment.status, settledBy: kept.settledBy }, parsed);
  if (outcome !== null) {
    await deps.database.inOneTrip(ids.scope, (statements) => closeCallback(statements, kept.callbackId, outcome));
  } else if (kept.signal) {
    await pass(deps, kept, { ...ids, gateway }).catch((error: unknown) => {
      deps.log.warn(
        { payment: kept.payment.reference, error: describeError(error) },
        'callback not signalled; the sweeper will',
      );
    });
  }
  return kept.payment.reference;
}

interface Sender {
  readonly gateway: string;
  readonly mode: Mode;
  /** The attempt's; a callback that names no attempt may still be the environment's store's. */
  readonly store: Store | undefined;
}

/** What comes from a store without credentials here cannot be checked, so it claims nothing; it is kept all the same. */
function parse(deps: ApiDependencies, { gateway, mode, store }: Sender, rawPayload: string): ParsedCallback {
  const known = store ?? { storeId: deps.gateways.defaultStoreId(gateway, mode) ?? '', sealedSecret: null };
  return (
    openOrAlert(deps, { gateway, mode, store: known })?.parseCallback(rawPayload) ?? {
      attemptReference: null,
      signatureValid: false,
      claims: 'unknown',
      claimedValidationId: null,
      note: null,
    }
  );
}

async function pass(
  deps: ApiDependencies,
  kept: KeptCallback,
  { scope, paymentId, gateway }: AttemptIds & { readonly gateway: string },
): Promise<void> {
  const { payment, callbackId, attemptReference } = kept;
  if (isOpen(payment.status) && (await deps.dispatch.signalCallback(payment.reference, callbackId))) {
    return;
  }
  const handle = {
    paymentId,
    reference: payment.reference,
    applicationId: scope.applicationId,
    applicationName: payment.applicationName,
    mode: scope.mode,
    amount: payment,
    gateway,
  };
  if (isOpen(payment.status)) {
    await deps.dispatch.startPayment(handle);
  } else {
    await deps.dispatch.startLatePayment(handle, { attemptReference, callbackId });
  }
}
