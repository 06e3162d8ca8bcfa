import { CALLBACK_KINDS, type CallbackKind } from '../../database/entities/payment.ts';
import { receiveCallback } from '../../core/gateway-callbacks/receive-callback.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Mode } from '../../domain/mode.ts';
import { checkoutUrl } from '../../domain/payment-view.ts';
import { allowHeader } from '../http/methods.ts';
import { readText } from '../http/body.ts';
import { admitAddress, type RateLimiter } from '../http/rate-limit.ts';
import type { Context } from '../http/surface.ts';
import type { ApiDependencies } from '../dependencies.ts';

type CallbackDependencies = Pick<ApiDependencies, 'database' | 'gateways' | 'dispatch' | 'log' | 'webUrl'>;

/** More than any gateway sends, so that no signed callback is rejected for its size. */
const BODY_BYTES_MAX = 1024 * 1024;
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

/** Returns the raw payload; for a GET in the form that `Gateway.parseCallback` reads. */
async function payloadOf({ kind, segment }: Target, context: Context): Promise<string> {
  const rawPayload =
    kind === 'return' ? `${segment}?${context.querystring}` : await readText(context.req, BODY_BYTES_MAX);
  if (rawPayload.includes('\0')) {
    throw new DomainError('VALIDATION_ERROR', 'the body could not be read');
  }
  return rawPayload;
}

async function receive(
  deps: CallbackDependencies,
  target: Target,
  { context, limiter }: { context: Context; limiter: RateLimiter },
): Promise<string | null> {
  const { gateway, mode, kind } = target;
  const rawPayload = await payloadOf(target, context);
  return receiveCallback(
    deps,
    { gateway, mode, kind: kind === 'return' ? null : kind, rawPayload, headers: context.req.headers },
    () => admitAddress(context, limiter, { bucket: 'unmatched callback', perMinute: UNMATCHED_PER_MINUTE }),
  );
}
