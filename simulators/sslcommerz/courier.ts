import { randomUUID } from 'node:crypto';
import type { Gateway } from './gateway.ts';
import { isNotStarted } from './gateway.ts';
import { inNoticeOrder, noticeFields } from './records.ts';
import type { NoticeScript } from './scripts.ts';
import { signFields } from './signature.ts';
import type { Delivery, Outcome, Session } from './state.ts';

/** Delivers IPNs to the merchant, at least once each, with a limited number of retries that survive a restart. */
export type Courier = {
  /** Creates the deliveries that the session's script asks for. */
  enqueue(session: Session): void;
  /** Sends the session's pending deliveries now, or a new delivery if none is pending. Returns how many. */
  deliverNow(session: Session): number;
  /** Resolves when every due delivery of the session was tried once, or after the limit. */
  triedOnce(session: Session, limitMs: number): Promise<void>;
  /** Looks for work; called whenever the state has changed. */
  wake(): void;
  /** Resolves when no attempt is under way. */
  idle(): Promise<void>;
};

const inFlightMax = 16;
const timerMsMax = 60_000;
const defaultNotice: NoticeScript = { timing: 'before', copies: 1, signature: 'good' };
const copiesMax = 10;

/** Returns the fields of a notice with their signature, as the session's script sets them. */
export function signedNotice(gateway: Gateway, { session, outcome }: { session: Session; outcome: Outcome }) {
  const password = gateway.stores.find((store) => store.id === session.storeId)?.password ?? '';
  const mode = session.script.notice?.signature ?? defaultNotice.signature;
  const fields = noticeFields({ session, outcome });
  const ipnFields = { ...fields, ...session.script.notice?.set };
  return {
    returned: { ...fields, ...signFields({ fields, password, mode }) },
    ipn: inNoticeOrder(ipnFields, signFields({ fields: ipnFields, password, mode })),
  };
}

export function createCourier(gateway: Gateway): Courier {
  const { state } = gateway;
  const inFlight = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  gateway.closing.addEventListener('abort', () => clearTimeout(timer));

  function wake(): void {
    clearTimeout(timer);
    if (gateway.closing.aborted) {
      return;
    }
    const now = Date.now();
    let next = now + timerMsMax;
    for (const id of state.unfinishedDeliveries) {
      const delivery = state.deliveries.get(id);
      if (inFlight.size >= inFlightMax) {
        break;
      }
      if (delivery?.dueAt === undefined || inFlight.has(id)) {
        continue;
      }
      if (delivery.dueAt <= now) {
        inFlight.set(id, attempt(delivery));
      } else {
        next = Math.min(next, delivery.dueAt);
      }
    }
    timer = setTimeout(wake, next - now);
  }

  async function attempt(delivery: Delivery): Promise<void> {
    try {
      await gateway.settled();
      const answer = await post(gateway, delivery);
      if (!gateway.closing.aborted && state.deliveries.has(delivery.id)) {
        recordAttempt(gateway, { delivery, answer });
      }
    } finally {
      inFlight.delete(delivery.id);
      wake();
    }
  }

  return {
    wake,
    enqueue(session) {
      for (const delivery of makeDeliveries(gateway, session)) {
        gateway.record({ type: 'delivery', delivery });
      }
      wake();
    },
    deliverNow(session) {
      const pending = deliveriesOf(gateway, session).filter((delivery) => !delivery.over);
      const fresh = pending.length > 0 ? [] : makeOne(gateway, session);
      for (const delivery of fresh) {
        gateway.record({ type: 'delivery', delivery });
      }
      for (const delivery of [...pending, ...fresh]) {
        gateway.record({ type: 'delivery_due', id: delivery.id, dueAt: Date.now() });
      }
      wake();
      return pending.length + fresh.length;
    },
    async triedOnce(session, limitMs) {
      const now = Date.now();
      const due = deliveriesOf(gateway, session).filter(({ dueAt }) => dueAt !== undefined && dueAt <= now);
      const limit = new Promise((resolve) => {
        setTimeout(resolve, limitMs).unref();
      });
      await Promise.race([Promise.all(due.map(async (delivery) => inFlight.get(delivery.id))), limit]);
    },
    async idle() {
      await Promise.allSettled(inFlight.values());
    },
  };
}

function deliveriesOf(gateway: Gateway, session: Session): Delivery[] {
  const ids = gateway.state.deliveriesBySession.get(session.key) ?? [];
  return ids.flatMap((id) => gateway.state.deliveries.get(id) ?? []);
}

function makeDeliveries(gateway: Gateway, session: Session): Delivery[] {
  const notice = { ...defaultNotice, ...session.script.notice };
  if (notice.timing === 'never' || isNotStarted(session)) {
    return [];
  }
  const { settings } = gateway.state;
  const delayMs = {
    before: 0,
    after: settings.afterReturnMs,
    late: notice.delayMs ?? settings.lateNoticeMs,
    held: undefined,
  }[notice.timing];
  const copies = Math.min(Math.max(notice.copies, 1), copiesMax);
  return Array.from({ length: copies }, () => makeOne(gateway, session, delayMs)).flat();
}

function makeOne(gateway: Gateway, session: Session, delayMs?: number): Delivery[] {
  const { outcome } = session;
  if (!outcome || session.urls.ipn === '') {
    return [];
  }
  const body = new URLSearchParams(signedNotice(gateway, { session, outcome }).ipn).toString();
  const due = delayMs === undefined ? {} : { dueAt: Date.now() + delayMs };
  return [
    { id: randomUUID(), sessionKey: session.key, url: session.urls.ipn, body, attempts: [], over: false, ...due },
  ];
}

async function post(gateway: Gateway, delivery: Delivery): Promise<string> {
  const { noticeTimeoutMs } = gateway.state.settings;
  try {
    const response = await fetch(delivery.url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'SSLCOMMERZ simulator' },
      body: delivery.body,
      redirect: 'manual',
      signal: AbortSignal.any([gateway.closing, AbortSignal.timeout(noticeTimeoutMs)]),
    });
    await response.body?.cancel();
    return String(response.status);
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown failure';
  }
}

function recordAttempt(gateway: Gateway, { delivery, answer }: { delivery: Delivery; answer: string }): void {
  const now = Date.now();
  const waitMs = answer === '200' ? undefined : gateway.state.settings.noticeRetryMs[delivery.attempts.length];
  gateway.record({
    type: 'delivery_attempt',
    id: delivery.id,
    at: now,
    answer,
    over: waitMs === undefined,
    ...(waitMs === undefined ? {} : { dueAt: now + waitMs }),
  });
}
