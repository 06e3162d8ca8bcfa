import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

const HOUR_MS = 3_600_000;

/** What happens to a requested refund. */
export const REFUND_FATES = ['soon', 'after days', 'refused', 'cancelled', 'failed later', 'stuck'] as const;
type RefundFate = (typeof REFUND_FATES)[number];

/** What the gateway answers for a used key: that it is being processed, the status of its refund, or that the key was used before. */
export const REPEAT_MANNERS = ['processing', 'tells', 'refuses'] as const;
type RepeatManner = (typeof REPEAT_MANNERS)[number];

/** One refund in the gateway's records. */
export interface RecordedRefund {
  /** The merchant's own reference. */
  readonly key: string;
  readonly refId: string;
  readonly bankTranId: string;
  readonly amountMinor: bigint;
  readonly acceptedAtMs: number;
  readonly endsAtMs: number;
  readonly ends: 'refunded' | 'cancelled' | 'failed';
}

/** How the gateway's panel shows a refund to a person. */
export type RefundSeen = 'none' | 'under way' | 'given back' | 'not given back';

interface Known {
  readonly booked: RecordedRefund | null;
  readonly manner: RepeatManner;
  /** Whether the first answer contains its id. */
  readonly named: boolean;
  /** Until then a query finds nothing. */
  readonly visibleFromMs: number;
}

/** The gateway's records of refunds. It refunds whatever it is asked for, because preventing excessive refunds is the merchant's task here. */
export class RefundBooks {
  readonly booked: RecordedRefund[] = [];
  /** Keys for which a caller got a plain refusal. */
  readonly refused = new Set<string>();
  private readonly known = new Map<string, Known>();
  private readonly timeline: Timeline;
  private readonly random: Random;
  private readonly takeDays: boolean;
  private readonly reached: (branch: string) => void;

  constructor({
    timeline,
    random,
    takeDays,
    reached,
  }: {
    timeline: Timeline;
    random: Random;
    takeDays: boolean;
    reached: (branch: string) => void;
  }) {
    this.timeline = timeline;
    this.random = random;
    this.takeDays = takeDays;
    this.reached = reached;
  }

  /** Returns null for requests that do not concern refunds. */
  answer(query: URLSearchParams): object | null {
    const bankTranId = query.get('bank_tran_id');
    const refId = query.get('refund_ref_id');
    if (bankTranId !== null) {
      const amountMinor = BigInt((query.get('refund_amount') ?? '0').replace('.', ''));
      return this.take({ key: query.get('refund_trans_id') ?? '', bankTranId, amountMinor });
    }
    return refId === null ? null : this.stand(refId);
  }

  seen(key: string): RefundSeen {
    const booked = this.known.get(key)?.booked ?? null;
    if (booked === null) {
      return 'none';
    }
    const status = this.statusOf(booked);
    return status === 'processing' ? 'under way' : status === 'refunded' ? 'given back' : 'not given back';
  }

  /** Returns how long a refund remains in progress. */
  leftMs(key: string): number {
    return Math.max(0, (this.known.get(key)?.booked?.endsAtMs ?? 0) - this.timeline.nowMs);
  }

  private take(request: { key: string; bankTranId: string; amountMinor: bigint }): object {
    const { key } = request;
    const known = this.known.get(key);
    if (known !== undefined) {
      return this.again(known, key);
    }
    const made = this.begin(request);
    this.known.set(key, made);
    if (made.booked === null) {
      return this.refuse(key, 'Refund is not possible for this transaction');
    }
    this.booked.push(made.booked);
    return made.named
      ? answerOf(made.booked, 'success')
      : { ...answerOf(made.booked, 'processing'), refund_ref_id: '' };
  }

  private begin({ key, bankTranId, amountMinor }: { key: string; bankTranId: string; amountMinor: bigint }): Known {
    const { random, timeline } = this;
    const fate = random.weighted<RefundFate>({
      soon: 10,
      refused: 3,
      'failed later': 1.5,
      cancelled: 1.5,
      'after days': this.takeDays ? 3 : 0,
      stuck: this.takeDays ? 0.5 : 0,
    });
    const manner = random.weighted<RepeatManner>({ processing: 5, tells: 3, refuses: 2 });
    const named = random.chance(0.9);
    const visibleFromMs = timeline.nowMs + (random.chance(0.15) ? random.between(1_000, 600_000) : 0);
    this.reached(`refund at the gateway: ${fate}`);
    const acceptedAtMs = timeline.nowMs;
    const endsAtMs = acceptedAtMs + this.takesMs(fate);
    const ends: RecordedRefund['ends'] =
      fate === 'cancelled' ? 'cancelled' : fate === 'failed later' ? 'failed' : 'refunded';
    const booked =
      fate === 'refused'
        ? null
        : { key, refId: random.text(13), bankTranId, amountMinor, acceptedAtMs, endsAtMs, ends };
    return { booked, manner, named, visibleFromMs };
  }

  private takesMs(fate: RefundFate): number {
    switch (fate) {
      case 'after days':
        return this.random.between(12, 200) * HOUR_MS;
      case 'stuck':
        return this.random.between(31 * 24, 34 * 24) * HOUR_MS;
      default:
        return this.random.between(0, this.takeDays && this.random.chance(0.3) ? 6 * HOUR_MS : 90_000);
    }
  }

  private again({ booked, manner, named }: Known, key: string): object {
    if (booked === null) {
      return this.refuse(key, 'Refund is not possible for this transaction');
    }
    this.reached(`refund key again: ${named ? manner : 'tells'}`);
    const status = this.statusOf(booked);
    if (named && manner === 'refuses') {
      return this.refuse(key, 'Duplicate refund_trans_id');
    }
    if (named && manner === 'processing') {
      return answerOf(booked, 'processing');
    }
    if (status === 'failed') {
      this.refused.add(key);
    }
    return { ...answerOf(booked, status), ...(named ? {} : { refund_ref_id: '' }) };
  }

  private stand(refId: string): object {
    const booked = this.booked.find((candidate) => candidate.refId === refId);
    const visible = booked !== undefined && (this.known.get(booked.key)?.visibleFromMs ?? 0) <= this.timeline.nowMs;
    if (!visible) {
      this.reached('refund at the gateway: not found yet');
      return { APIConnect: 'DONE', refund_ref_id: refId, status: 'failed', errorReason: 'Invalid refund_ref_id' };
    }
    return answerOf(booked, this.statusOf(booked));
  }

  private statusOf({ endsAtMs, ends }: RecordedRefund): string {
    return endsAtMs <= this.timeline.nowMs ? ends : 'processing';
  }

  private refuse(key: string, errorReason: string): object {
    this.refused.add(key);
    return { APIConnect: 'DONE', bank_tran_id: '', refund_ref_id: '', status: 'failed', errorReason };
  }
}

function answerOf({ bankTranId, refId }: RecordedRefund, status: string): object {
  return { APIConnect: 'DONE', bank_tran_id: bankTranId, refund_ref_id: refId, status, errorReason: '' };
}
