import type { HttpReply, HttpRequest } from '../../runtime/http-client.ts';
import { HttpFailure } from '../../runtime/http-client/failure.ts';
import { signFields } from '../../simulators/sslcommerz/signature.ts';
import { RefundBooks } from './gateway-refunds.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

export const STORE = { id: 'store_sim', password: 'store_sim@ssl' } as const;
export const GATEWAY_URL = 'https://gateway.sslcommerz.com';

/** How one call fails. `before` and `after` say whether the gateway had already performed the operation. */
export const GATEWAY_FAULTS = [
  'unreachable',
  'silent before',
  'silent after',
  '500 before',
  '500 after',
  'garbage after',
  'reset after',
  'slow down',
  'not connected',
  'no list',
] as const;
export type GatewayFault = (typeof GATEWAY_FAULTS)[number];

/** How the gateway's confirmation differs from the order. */
export type Oddity = 'amount' | 'currency' | 'reference' | 'store' | 'risk' | 'reused id';

/** One attempt to pay in a session, as recorded by the gateway. */
export interface Try {
  readonly tranId: string;
  readonly valId: string;
  readonly bankTranId: string;
  readonly orderMinor: bigint;
  status: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly currency: string;
  readonly risk: string;
  readonly storeId: string;
  /** The order to which the gateway says it belongs. */
  readonly shownTranId: string;
  /** Until then the gateway's own queries do not show it. */
  readonly visibleFromMs: number;
}

/** Money that moved at the gateway, against which the judges check. */
export interface Charge {
  readonly tranId: string;
  readonly valId: string;
  readonly bankTranId: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly atMs: number;
  readonly visibleFromMs: number;
  /** Whether it agrees with the order, so that a payment may succeed by it. */
  readonly agrees: boolean;
  /** It agrees with the order except for its risk, which an operator may accept. */
  readonly risky: boolean;
}

interface Session {
  readonly tranId: string;
  readonly key: string;
  readonly amountMinor: bigint;
  readonly tries: Try[];
}

export interface GatewayWeather {
  /** Returns the fault of the next call; null for none. */
  fault(): GatewayFault | null;
  latencyMs(): number;
  /** Returns whether every session of this order is refused. */
  refuses(tranId: string): boolean;
  /** Whether refunds may take days. */
  readonly refundsTakeDays: boolean;
  /** Called when a query about a refund is answered. */
  refundAnswered(): void;
}

/**
 * SSLCOMMERZ as its merchants see it, with its own records of charges and refunds. The only code that it shares with the adapter is the simulator's
 * signature.
 */
export class SimulatedGateway {
  readonly sessions = new Map<string, Session>();
  readonly charges: Charge[] = [];
  readonly refunds: RefundBooks;
  private readonly tries: Try[] = [];
  /** The order for which a validation id was listed last: two tries can have the same id if the gateway mixes them up. */
  private lastListed = '';
  private readonly timeline: Timeline;
  private readonly random: Random;
  private readonly weather: GatewayWeather;
  private readonly reached: (branch: string) => void;

  constructor({
    timeline,
    random,
    weather,
    reached,
  }: {
    timeline: Timeline;
    random: Random;
    weather: GatewayWeather;
    reached: (branch: string) => void;
  }) {
    this.timeline = timeline;
    this.random = random;
    this.weather = weather;
    this.reached = reached;
    const { refundsTakeDays: takeDays } = weather;
    this.refunds = new RefundBooks({ timeline, random: random.fork('refunds'), takeDays, reached });
  }

  /** Handles one HTTP exchange. @throws HttpFailure */
  async answer(request: HttpRequest): Promise<HttpReply> {
    const url = new URL(request.url);
    const fault = this.weather.fault();
    await this.timeline.pause(this.weather.latencyMs());
    if (fault !== null) {
      this.reached(`gateway: ${fault}`);
    }
    switch (fault) {
      case 'unreachable':
        throw new HttpFailure('connect', { sent: false });
      case 'silent before':
        await this.timeline.pause(request.totalTimeoutMs);
        throw new HttpFailure('timeout', { sent: true });
      case '500 before':
        return reply(500, 'Internal Server Error');
      case 'slow down':
        return reply(429, '');
      case 'not connected':
        return json({ APIConnect: 'INVALID_REQUEST' });
      default:
        return this.afterwards(fault, request, this.act(url, request));
    }
  }

  private async afterwards(
    fault: 'silent after' | '500 after' | 'garbage after' | 'reset after' | 'no list' | null,
    request: HttpRequest,
    answer: object,
  ): Promise<HttpReply> {
    await this.timeline.pause(this.weather.latencyMs());
    switch (fault) {
      case 'silent after':
        await this.timeline.pause(request.totalTimeoutMs);
        throw new HttpFailure('timeout', { sent: true });
      case '500 after':
        return reply(500, 'Internal Server Error');
      case 'garbage after':
        return reply(200, '<!DOCTYPE html><title>Maintenance</title>');
      case 'reset after':
        throw new HttpFailure('reset', { sent: true });
      case 'no list':
        return json(Object.fromEntries(Object.entries(answer).filter(([name]) => name !== 'element')));
      case null:
        return json(answer);
    }
  }

  private act(url: URL, request: HttpRequest): object {
    if (url.pathname.startsWith('/gwprocess/')) {
      return this.openSession(new URLSearchParams(String(request.body)));
    }
    const refund = this.refunds.answer(url.searchParams);
    if (refund !== null) {
      this.weather.refundAnswered();
      return refund;
    }
    const valId = url.searchParams.get('val_id');
    return valId === null ? this.list(url.searchParams.get('tran_id') ?? '') : this.validate(valId);
  }

  private openSession(form: URLSearchParams): object {
    const tranId = form.get('tran_id') ?? '';
    if (this.weather.refuses(tranId)) {
      return { status: 'FAILED', failedreason: 'Store is not allowed', sessionkey: '', GatewayPageURL: '' };
    }
    const key = this.random.text(32);
    const known = this.sessions.get(tranId);
    const amountMinor = BigInt((form.get('total_amount') ?? '0').replace('.', ''));
    this.sessions.set(tranId, known ?? { tranId, key, amountMinor, tries: [] });
    return {
      status: 'SUCCESS',
      failedreason: '',
      sessionkey: known?.key ?? key,
      GatewayPageURL: `${GATEWAY_URL}/EasyCheckOut/${known?.key ?? key}`,
    };
  }

  private shown(tries: readonly Try[]): Try[] {
    return tries.filter(({ visibleFromMs }) => visibleFromMs <= this.timeline.nowMs);
  }

  private list(tranId: string): object {
    this.lastListed = tranId;
    const element = this.shown(this.sessions.get(tranId)?.tries ?? []).map((attempt) => ({
      ...detailsOf(attempt),
      APIConnect: undefined,
    }));
    return { APIConnect: 'DONE', no_of_trans_found: element.length, element };
  }

  private validate(valId: string): object {
    const found = this.shown(this.tries).filter(
      (attempt) => attempt.valId === valId && attempt.status.startsWith('VALID'),
    );
    const attempt = found.find(({ tranId }) => tranId === this.lastListed) ?? found[0];
    if (attempt === undefined) {
      return { APIConnect: 'DONE', status: 'INVALID_TRANSACTION' };
    }
    const details = detailsOf(attempt);
    attempt.status = 'VALIDATED';
    return details;
  }

  /** The payer starts to pay; the try ends later. */
  begin(tranId: string, { oddity, lagMs }: { oddity: Oddity | null; lagMs: number }): Try | null {
    const session = this.sessions.get(tranId);
    if (session === undefined) {
      return null;
    }
    const other = this.tries.find((attempt) => attempt.tranId !== tranId);
    const grossMinor = oddity === 'amount' ? session.amountMinor - 100n : session.amountMinor;
    const attempt: Try = {
      tranId,
      valId: oddity === 'reused id' && other !== undefined ? other.valId : this.random.text(20),
      bankTranId: this.random.text(16),
      orderMinor: session.amountMinor,
      status: 'PENDING',
      grossMinor,
      feeMinor: (grossMinor * 25n) / 1_000n,
      currency: oddity === 'currency' ? 'USD' : 'BDT',
      risk: oddity === 'risk' ? '1' : '0',
      storeId: oddity === 'store' ? 'somebody_else' : STORE.id,
      shownTranId: oddity === 'reference' ? this.random.text(20) : tranId,
      visibleFromMs: this.timeline.nowMs + lagMs,
    };
    session.tries.push(attempt);
    this.tries.push(attempt);
    return attempt;
  }

  end(attempt: Try, status: string): void {
    attempt.status = status;
    if (status === 'VALID') {
      const { tranId, valId, bankTranId, grossMinor, feeMinor, visibleFromMs } = attempt;
      const { orderMinor, currency, storeId, shownTranId } = attempt;
      const ordered = grossMinor === orderMinor && currency === 'BDT' && storeId === STORE.id && shownTranId === tranId;
      const risky = ordered && attempt.risk !== '0';
      const agrees = ordered && !risky;
      const atMs = this.timeline.nowMs;
      this.charges.push({ tranId, valId, bankTranId, grossMinor, feeMinor, atMs, visibleFromMs, agrees, risky });
    }
  }
}

/** Returns the form of a notice or return, signed as the gateway signs. It contains Lenden's order id, whatever the gateway's records say. */
export function noticeOf(attempt: Try, { signature }: { signature: 'good' | 'bad' | 'absent' }): string {
  const { APIConnect: _answered, ...details } = detailsOf(attempt);
  const status = attempt.status === 'VALIDATED' ? 'VALID' : attempt.status;
  const fields = { ...details, tran_id: attempt.tranId, store_id: STORE.id, status };
  return new URLSearchParams({
    ...fields,
    ...signFields({ fields, password: STORE.password, mode: signature }),
  }).toString();
}

function detailsOf(attempt: Try) {
  return {
    APIConnect: 'DONE',
    status: attempt.status,
    tran_id: attempt.shownTranId,
    val_id: attempt.valId,
    amount: decimal(attempt.grossMinor),
    store_amount: decimal(attempt.grossMinor - attempt.feeMinor),
    bank_tran_id: attempt.bankTranId,
    currency: attempt.currency,
    currency_type: attempt.currency,
    currency_amount: decimal(attempt.orderMinor),
    store_id: attempt.storeId,
    risk_level: attempt.risk,
  };
}

function decimal(minor: bigint): string {
  return `${minor / 100n}.${(minor % 100n).toString().padStart(2, '0')}`;
}

function json(answer: object): HttpReply {
  return reply(200, JSON.stringify(answer));
}

function reply(status: number, text: string): HttpReply {
  return { status, headers: {}, body: Buffer.from(text), truncated: false };
}
