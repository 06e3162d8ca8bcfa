import type { HttpReply, HttpRequest } from '../../runtime/http-client.ts';
import { HttpFailure } from '../../runtime/http-client/failure.ts';
import type { Random } from './random.ts';
import { whose, type Timeline } from './timeline.ts';

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
  /** The process that sent it. */
  readonly process: string;
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
  private readonly hangs: (host: string) => boolean;
  private readonly accepted: (eventId: string) => void;

  constructor({
    timeline,
    random,
    manners,
    reached,
    hangs,
    accepted,
  }: {
    timeline: Timeline;
    random: Random;
    /** By host; `troubles` is how many requests fail for behaviours that recover. */
    manners: ReadonlyMap<string, { manner: ReceiverManner; troubles: number }>;
    reached: (branch: string) => void;
    /** Whether the receiver takes requests at present and answers none. */
    hangs: (host: string) => boolean;
    /** Called when a receiver accepts an event, before it answers. */
    accepted: (eventId: string) => void;
  }) {
    this.timeline = timeline;
    this.random = random;
    this.manners = manners;
    this.reached = reached;
    this.hangs = hangs;
    this.accepted = accepted;
  }

  /** Answers one delivery. @throws HttpFailure */
  async answer(request: HttpRequest): Promise<HttpReply> {
    const { host } = new URL(request.url);
    const { manner, troubles } = this.manners.get(host) ?? { manner: 'well', troubles: 0 };
    const seen = (this.seen.get(host) ?? 0) + 1;
    this.seen.set(host, seen);
    await this.timeline.pause(this.random.between(2, 150));
    const troubled = seen <= troubles;
    const eventId = request.headers['webhook-id'] ?? '';
    const note = (status: number | null): void => {
      this.received.push({
        host,
        eventId,
        process: whose.getStore()?.name ?? '',
        signature: request.headers['webhook-signature'] ?? '',
        body: String(request.body),
        atMs: this.timeline.nowMs,
        status,
      });
    };
    const silence = async (): Promise<never> => {
      note(null);
      await this.timeline.pause(request.totalTimeoutMs);
      throw new HttpFailure('timeout', { sent: true });
    };
    const answer = async (status: number, headers: Record<string, string> = {}): Promise<HttpReply> => {
      note(status);
      if (status < 300) {
        this.accepted(eventId);
      }
      await this.timeline.pause(this.random.between(1, 60));
      return { status, headers, body: Buffer.from('ok'), truncated: false };
    };
    if (this.hangs(host)) {
      this.reached('receiver: hangs');
      return silence();
    }
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
          return silence();
        }
        return answer(200);
    }
  }
}
