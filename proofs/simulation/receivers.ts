import type { HttpReply, HttpRequest } from '../../runtime/http-client.ts';
import { HttpFailure } from '../../runtime/http-client/failure.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

export const RECEIVER_MANNERS = [
  'well',
  'fails at first',
  'accepts, then fails',
  'never',
  'gone',
  'silent at first',
  'asks for time',
  'unreachable at first',
] as const;
export type ReceiverManner = (typeof RECEIVER_MANNERS)[number];

/** What a receiver saw. The judges know about deliveries only from here. */
export interface Received {
  readonly host: string;
  readonly eventId: string;
  readonly signature: string;
  readonly body: string;
  readonly atMs: number;
  /** Null if it gave no answer. */
  readonly status: number | null;
}

/** The applications' webhook endpoints, each with its own behaviour. */
export class SimulatedReceivers {
  readonly received: Received[] = [];
  private readonly manners: ReadonlyMap<string, { manner: ReceiverManner; troubles: number }>;
  private readonly seen = new Map<string, number>();
  private readonly timeline: Timeline;
  private readonly random: Random;
  private readonly reached: (branch: string) => void;

  constructor({
    timeline,
    random,
    manners,
    reached,
  }: {
    timeline: Timeline;
    random: Random;
    /** By host; `troubles` is how many requests fail for behaviours that recover. */
    manners: ReadonlyMap<string, { manner: ReceiverManner; troubles: number }>;
    reached: (branch: string) => void;
  }) {
    this.timeline = timeline;
    this.random = random;
    this.manners = manners;
    this.reached = reached;
  }

  /** Answers one delivery. @throws HttpFailure */
  async answer(request: HttpRequest): Promise<HttpReply> {
    const { host } = new URL(request.url);
    const { manner, troubles } = this.manners.get(host) ?? { manner: 'well', troubles: 0 };
    const seen = (this.seen.get(host) ?? 0) + 1;
    this.seen.set(host, seen);
    await this.timeline.pause(this.random.between(2, 150));
    const troubled = seen <= troubles;
    const note = (status: number | null): void => {
      this.received.push({
        host,
        eventId: request.headers['webhook-id'] ?? '',
        signature: request.headers['webhook-signature'] ?? '',
        body: String(request.body),
        atMs: this.timeline.nowMs,
        status,
      });
    };
    const answer = async (status: number, headers: Record<string, string> = {}): Promise<HttpReply> => {
      note(status);
      await this.timeline.pause(this.random.between(1, 60));
      return { status, headers, body: Buffer.from('ok'), truncated: false };
    };
    this.reached(`receiver: ${manner}`);
    switch (manner) {
      case 'well':
        return answer(200);
      case 'never':
        return answer(500);
      case 'gone':
        return answer(410);
      case 'fails at first':
        return answer(troubled ? 503 : 204);
      case 'asks for time':
        return troubled ? answer(429, { 'retry-after': '7200' }) : answer(200);
      case 'unreachable at first':
        if (troubled) {
          throw new HttpFailure('connect', { sent: false });
        }
        return answer(200);
      case 'accepts, then fails':
      case 'silent at first':
        if (troubled) {
          note(null);
          await this.timeline.pause(request.totalTimeoutMs);
          throw new HttpFailure('timeout', { sent: true });
        }
        return answer(200);
    }
  }
}
