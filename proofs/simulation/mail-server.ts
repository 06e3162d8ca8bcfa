import type { Mailer } from '../../runtime/mailer.ts';
import type { SentEmail } from './invoice-evidence.ts';
import type { InvoicesPlan } from './invoice-story.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

/** The longest time that a mailer may take. */
const SLOW_MS = 45_000;

/** The mail server of a story, as the product's mailer sees it. */
export class SimulatedMailServer {
  readonly emails: SentEmail[] = [];
  private readonly timeline: Timeline;
  private readonly random: Random;
  private readonly plan: InvoicesPlan['mail'];
  private readonly reached: (branch: string) => void;

  constructor({
    timeline,
    random,
    plan,
    reached,
  }: {
    timeline: Timeline;
    random: Random;
    plan: InvoicesPlan['mail'];
    reached: (branch: string) => void;
  }) {
    this.timeline = timeline;
    this.random = random;
    this.plan = plan;
    this.reached = reached;
  }

  mailer(): Mailer {
    return {
      send: async ({ messageId }) => {
        const outcome = this.outcome();
        await this.timeline.pause(
          outcome === 'unavailable' && this.random.chance(0.5) ? SLOW_MS : this.random.between(5, 900),
        );
        this.emails.push({ messageId, outcome });
        this.reached(`email: ${outcome}`);
        return outcome === 'sent'
          ? { kind: 'sent' }
          : outcome === 'refused'
            ? { kind: outcome, code: 'recipient-refused' }
            : { kind: outcome, code: 'timeout' };
      },
      close: () => undefined,
    };
  }

  private outcome(): SentEmail['outcome'] {
    const { unavailable, refused } = this.plan;
    return this.random.chance(unavailable) ? 'unavailable' : this.random.chance(refused) ? 'refused' : 'sent';
  }
}
