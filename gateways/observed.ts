import type { Outcome, SpanEnd, Telemetry } from '../runtime/telemetry.ts';
import { GatewayFailure, type AttemptHandle, type Gateway, type GatewayRegistry, type PayoutWindow } from './port.ts';

/** Wraps every operation at a gateway in a span and records its duration by outcome, using our own outcome names. */
export function observeGateways(registry: GatewayRegistry, telemetry: Telemetry): GatewayRegistry {
  if (!telemetry.on) {
    return registry;
  }
  return {
    ...registry,
    open: (name, mode, store) => {
      const gateway = registry.open(name, mode, store);
      return gateway === undefined ? undefined : observed(gateway, telemetry);
    },
  };
}

function observed(gateway: Gateway, telemetry: Telemetry): Gateway {
  const { name } = gateway.capabilities;
  const call = async <T extends { readonly kind: string }>(operation: string, work: () => Promise<T>): Promise<T> => {
    const startedMs = performance.now();
    const attributes = { 'lenden.gateway': name, 'lenden.operation': operation };
    return telemetry.span({ name: `gateway ${operation}`, kind: 'client', attributes }, work, (outcome) => {
      const end = endOf(outcome);
      telemetry.time('lenden.gateway.call.duration', performance.now() - startedMs, {
        ...attributes,
        ...end.attributes,
      });
      return end;
    });
  };
  const { closeSession, readPayouts } = gateway;
  return {
    ...gateway,
    openSession: (order) => call('openSession', () => gateway.openSession(order)),
    queryAttempt: (attempt) => call('queryAttempt', () => gateway.queryAttempt(attempt)),
    ...(closeSession === undefined ? {} : { closeSession: observedClosing(closeSession, call) }),
    refund: (request) => call('refund', () => gateway.refund(request)),
    queryRefund: (gatewayRefundId, charge) => call('queryRefund', () => gateway.queryRefund(gatewayRefundId, charge)),
    ...(readPayouts === undefined ? {} : { readPayouts: observedReading(readPayouts, call) }),
  };
}

type Call = <T extends { readonly kind: string }>(operation: string, work: () => Promise<T>) => Promise<T>;

function observedClosing(close: NonNullable<Gateway['closeSession']>, call: Call): typeof close {
  return async (attempt: AttemptHandle) =>
    (await call('closeSession', async () => ({ kind: await close(attempt) }))).kind;
}

function observedReading(read: NonNullable<Gateway['readPayouts']>, call: Call): typeof read {
  return async (window: PayoutWindow) =>
    (await call('readPayouts', async () => ({ kind: 'page', page: await read(window) }))).page;
}

function endOf(outcome: Outcome<{ readonly kind: string }>): SpanEnd {
  if (outcome.ok) {
    return { attributes: { 'lenden.outcome': outcome.value.kind }, failed: false };
  }
  const kind = outcome.error instanceof GatewayFailure ? outcome.error.kind : 'unexpected';
  return { attributes: { 'lenden.outcome': kind }, failed: true };
}
